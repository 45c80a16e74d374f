"""Task families, one file each, which are found through the entry points of this distribution."""
