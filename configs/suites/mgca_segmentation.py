"""MGCA's segmentation at paper scale: SIIM-ACR and RSNA with 1, 10 and 100 % of the labels.

prior-bench run mgca_segmentation --dry-run
"""

_base_ = "mgca_tables.py"

name = "mgca_segmentation"
title = "MGCA's segmentation with a frozen encoder"
table = "mgca_segmentation"

evaluations = _base_._segmentation
