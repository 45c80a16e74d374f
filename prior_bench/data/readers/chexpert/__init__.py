"""Readers of CheXpert and its 5x200 subset."""
