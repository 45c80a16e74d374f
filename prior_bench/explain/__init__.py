"""Explanations: pictures and measures of what a method attends to, reconstructs and writes."""
