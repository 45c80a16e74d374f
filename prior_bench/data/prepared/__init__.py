"""Prepared indices: stored manifests, from which data sets are opened without reading their annotations."""
