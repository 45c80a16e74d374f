"""Metrics by name, from per-sample predictions."""
