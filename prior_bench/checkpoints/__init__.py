"""Weights files: safe reading, recognition of layouts, and prior-bench's own format."""
