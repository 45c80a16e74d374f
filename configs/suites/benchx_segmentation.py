"""BenchX's segmentation at paper scale: Object-CXR and RSNA.

prior-bench run benchx_segmentation --dry-run
"""

_base_ = "benchx_classification.py"

name = "benchx_segmentation"
title = "BenchX's segmentation with a frozen encoder"
table = "benchx_segmentation"

evaluations = [
    dict(task="segmentation", data="object_cxr", protocol="benchx/segmentation_object"),
    dict(task="segmentation", data="rsna_pneumonia", protocol="benchx/segmentation_rsna"),
]
