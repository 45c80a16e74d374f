"""Weights: safe loading, recognition of layouts, our own format, and the sources of a row's weights."""
