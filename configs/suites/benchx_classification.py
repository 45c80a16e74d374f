"""BenchX's fine-tuning at paper scale: NIH, VinDr, COVIDx and RSNA with 1, 10 and 100 % of the labels.

prior-bench run benchx_classification --dry-run
"""

_base_ = "mgca_linear.py"

name = "benchx_classification"
title = "BenchX's fine-tuning"
table = "benchx_classification"
seeds = [42, 0, 1]

evaluations = [
    dict(task="classification", data=_data, protocol=f"benchx/finetune_{_name}", fractions=[0.01, 0.1, 1.0])
    for _data, _name in (
        ("nih_chestxray14", "nih"),
        ("vindr_cxr", "vindr"),
        ("covidx@covidx_cxr4", "covidx"),
        ("rsna_pneumonia", "rsna"),
    )
]
