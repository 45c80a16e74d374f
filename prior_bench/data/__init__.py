"""Data sets: readers that return a Manifest, and what they use: decoding, reports, splits and transforms."""
