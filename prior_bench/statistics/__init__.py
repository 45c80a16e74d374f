"""Estimates of the uncertainty and significance of metrics."""
