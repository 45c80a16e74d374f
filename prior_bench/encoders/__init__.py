"""Image and text encoders that all methods share, and their components."""
