"""MGCA's segmentation at paper scale: SIIM-ACR and RSNA with 1, 10 and 100 % of the labels.

prior-bench run mgca_segmentation --dry-run
"""

_base_ = "mgca_linear.py"

name = "mgca_segmentation"
title = "MGCA's segmentation with a frozen encoder"
table = "mgca_segmentation"
allow_leakage = True  # SIIM-ACR is split by regions: images are in train and in test

_fractions = [0.01, 0.1, 1.0]
evaluations = [
    dict(task="segmentation", data="siim_acr", protocol="mgca/segmentation_siim", fractions=_fractions),
    dict(task="segmentation", data="rsna_pneumonia", protocol="mgca/segmentation_rsna", fractions=_fractions),
]
