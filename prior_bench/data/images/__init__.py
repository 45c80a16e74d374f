"""Everything between an image file and a network's input: decoding, cache, transforms and corruptions."""

from prior_bench.data.images.read import image_size, read_image, read_with_remarks

__all__ = ["image_size", "read_image", "read_with_remarks"]
