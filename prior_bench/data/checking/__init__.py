"""Checks of a data set: counts, unreadable files, shared patients."""
