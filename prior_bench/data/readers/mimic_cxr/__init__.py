"""Readers of MIMIC-CXR-JPG and its 5x200 subset."""
