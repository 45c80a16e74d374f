"""Masks and boxes, as data sets store them and as tasks use them."""

from prior_bench.data.annotations.masks import BoxMask, CocoMask, FileMask, RleMask, ShapeMask, UnionMask

__all__ = ["BoxMask", "CocoMask", "FileMask", "RleMask", "ShapeMask", "UnionMask"]
