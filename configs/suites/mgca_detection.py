"""MGCA's detection at paper scale: RSNA and Object-CXR with 1, 10 and 100 % of the labels.

prior-bench run mgca_detection --dry-run
"""

_base_ = "mgca_linear.py"

name = "mgca_detection"
title = "MGCA's detection with a frozen encoder"
table = "mgca_detection"

evaluations = [
    dict(task="detection", data="rsna_pneumonia", protocol="mgca/detection_rsna_1", fractions=[0.01]),
    dict(task="detection", data="rsna_pneumonia", protocol="mgca/detection_rsna", fractions=[0.1, 1.0]),
    dict(task="detection", data="object_cxr", protocol="mgca/detection_object_1", fractions=[0.01]),
    dict(task="detection", data="object_cxr", protocol="mgca/detection_object", fractions=[0.1, 1.0]),
]
