"""Config files: reading and validation."""
