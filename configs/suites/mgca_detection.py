"""MGCA's detection at paper scale: RSNA and Object-CXR with 1, 10 and 100 % of the labels.

prior-bench run mgca_detection --dry-run
"""

_base_ = "mgca_tables.py"

name = "mgca_detection"
title = "MGCA's detection with a frozen encoder"
table = "mgca_detection"
allow_leakage = False

evaluations = _base_._detection
