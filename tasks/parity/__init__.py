"""Ingredients of the papers' protocols, task by task, and how our implementation computes each of them."""
