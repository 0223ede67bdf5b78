"""What people and programs read: tables, JSON, YAML, graphs, progress."""
