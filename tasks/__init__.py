"""Task families, one file each; found through the entry points of this distribution."""
