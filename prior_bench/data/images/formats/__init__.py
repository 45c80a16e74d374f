"""Decoders, one per family of file formats: each returns a Decoded and interprets nothing.

``pillow`` reads JPEG, PNG and most others, ``deep_colour`` PNG and TIFF files that Pillow cannot hold, and
``dicom`` DICOM files.
"""
