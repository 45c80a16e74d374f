"""From an image file to a network's input: decoding, reduction, cache, transforms, corruptions."""
