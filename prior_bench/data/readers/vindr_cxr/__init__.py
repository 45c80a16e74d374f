"""Readers of VinDr-CXR in its two distributions."""
