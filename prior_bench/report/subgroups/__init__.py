"""Performance by subgroup of the test images, from stored predictions."""
