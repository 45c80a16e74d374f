"""Comparisons of two runs or two stores."""
