"""Annotation tables as downloaded, and the files that they name."""
