"""Everything between an image file and a network's input: decoding, cache, transforms and corruptions."""
