"""From capture files to conversations and names."""
