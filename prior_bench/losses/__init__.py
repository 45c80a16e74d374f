"""Losses that several methods share."""
