"""Writing files completely or not at all, and locks between processes."""
