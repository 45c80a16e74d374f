"""Data sets: one reader a file, each giving a Manifest; decoding, reports, splits and transforms."""
