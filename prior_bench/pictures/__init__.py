"""Radiographs as small pictures: outlines, boxes and heat maps over them."""
