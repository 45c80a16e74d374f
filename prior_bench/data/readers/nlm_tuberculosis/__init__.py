"""Readers of the two tuberculosis collections of the National Library of Medicine."""
