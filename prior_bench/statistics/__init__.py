"""Uncertainty and significance of metrics."""
