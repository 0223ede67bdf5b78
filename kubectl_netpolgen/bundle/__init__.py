"""The directory that holds a run: layout, manifest, atomic writes."""
