"""Baseline methods, which are found through the entry points of this distribution."""
