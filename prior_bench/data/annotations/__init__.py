"""Masks and boxes, as data sets store them and as tasks use them."""
