"""Splits and label fractions."""
