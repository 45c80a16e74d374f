"""GLoRIA's tasks at paper scale: linear classification, segmentation of SIIM-ACR, zero-shot.

prior-bench run gloria_tasks --dry-run
"""

_base_ = "prior_tasks.py"

name = "gloria_tasks"
title = "GLoRIA's tasks"
table = "gloria_tasks"
seeds = [1]
allow_leakage = True  # SIIM-ACR is split by regions, so some images are in train and in test

_fractions = [0.01, 0.1, 1.0]
evaluations = [
    dict(task="classification", data="chexpert", protocol="gloria/linear_chexpert", fractions=_fractions),
    dict(task="classification", data="rsna_pneumonia", protocol="gloria/linear_rsna", fractions=_fractions),
    dict(task="segmentation", data="siim_acr", protocol="gloria/segmentation_siim", fractions=_fractions),
    # the import of GLoRIA's package sets seed 6, which the draw of the five prompts then follows
    dict(task="zero_shot", data="chexpert_5x200", protocol="gloria/zero_shot", seeds=[6]),
]
