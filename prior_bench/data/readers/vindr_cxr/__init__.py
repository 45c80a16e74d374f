"""VinDr-CXR in its two distributions."""
