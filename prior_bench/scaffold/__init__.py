"""Support for a new method: files to start from, and checks of its contract."""
