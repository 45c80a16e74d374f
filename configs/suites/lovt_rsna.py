"""LoVT's tasks on RSNA at paper scale, with 1, 10 and 100 % of the labels, five runs each.

prior-bench run lovt_rsna --dry-run
"""

_base_ = "mgca_linear.py"

name = "lovt_rsna"
title = "LoVT's tasks on RSNA"
table = "lovt_rsna"
seeds = [0, 1, 2, 3, 4]

evaluations = [
    dict(
        task=_name.partition("_")[0],
        data="rsna_pneumonia",
        protocol=f"lovt/{_name}{_part}",
        fractions=[_share],
    )
    for _name in ("detection_finetune_rsna", "detection_frozen_rsna", "segmentation_linear_rsna")
    for _part, _share in (("_1", 0.01), ("_10", 0.1), ("", 1.0))
]
