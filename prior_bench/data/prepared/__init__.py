"""Prepared indices: a manifest that was read once and kept."""
