"""MGCA's linear classification at paper scale: CheXpert, RSNA and COVIDx with 1, 10 and 100 % of the labels.

prior-bench run mgca_linear --dry-run
"""

_base_ = "mgca_tables.py"

name = "mgca_linear"
title = "MGCA's linear classification"
table = "mgca_linear"
allow_leakage = False

evaluations = _base_._linear
