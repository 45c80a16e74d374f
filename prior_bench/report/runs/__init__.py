"""Runs of a store: found, selected, resampled, described."""
