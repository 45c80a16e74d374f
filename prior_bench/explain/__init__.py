"""Explanations: what a method attends to, reconstructs and writes, as pictures and numbers."""
