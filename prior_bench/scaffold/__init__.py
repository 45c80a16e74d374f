"""A new method: the files to start from, and the contract that it has to keep."""
