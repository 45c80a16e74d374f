"""Writing files completely or not at all."""
