"""BenchX's fine-tuning at paper scale: NIH, VinDr, COVIDx and RSNA with 1, 10 and 100 % of the labels.

prior-bench run benchx_classification --dry-run
"""

_base_ = "mgca_linear.py"

name = "benchx_classification"
title = "BenchX's fine-tuning"
table = "benchx_classification"
seeds = [42, 0, 1]

# BenchX takes 14 findings of VinDr-CXR, and calls an image positive if one of its readers drew a box
_vindr = dict(
    name="vindr_cxr (any reader)",
    type="vindr_cxr",
    root="vindr_cxr",
    agree=1,
    labels=[
        "Aortic enlargement",
        "Atelectasis",
        "Calcification",
        "Cardiomegaly",
        "Consolidation",
        "ILD",
        "Infiltration",
        "Lung Opacity",
        "Nodule/Mass",
        "Other lesion",
        "Pleural effusion",
        "Pleural thickening",
        "Pneumothorax",
        "Pulmonary fibrosis",
    ],
)
evaluations = [
    dict(task="classification", data=_data, protocol=f"benchx/finetune_{_name}", fractions=[0.01, 0.1, 1.0])
    for _data, _name in (
        ("nih_chestxray14", "nih"),
        (_vindr, "vindr"),
        ("covidx@covidx_cxr4", "covidx"),
        ("rsna_pneumonia", "rsna"),
    )
]
