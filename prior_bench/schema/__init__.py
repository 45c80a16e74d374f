"""Read and validate config files."""
