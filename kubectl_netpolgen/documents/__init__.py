"""The one door to YAML and JSON text."""
