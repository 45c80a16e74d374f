"""PRIOR's five task families at paper scale: its splits, folds and seeds; few other settings are known.

prior-bench run prior_tasks --dry-run

The papers' suites with text tasks take their rows from here: complete models, not only image encoders.
"""

_base_ = "mgca_linear.py"

name = "prior_tasks"
title = (
    "PRIOR's five task families (folds and seeds as its author states; settings known for zero-shot alone)"
)
table = "prior_tasks"
seeds = [0, 1, 2, 3, 4]  # a seed is a fold or a draw of the split

# image tasks use PRIOR's released image encoder, the last row; text tasks require the complete model
backbones = [
    *_base_.backbones[:-1],
    dict(name="PRIOR", type="checkpoint", path="checkpoints/prior.ckpt"),
]

_fractions = [0.01, 0.1, 1.0]
evaluations = [
    dict(task="classification", data="chexpert", protocol="prior/linear", fractions=_fractions),
    dict(task="classification", data="rsna_pneumonia", protocol="prior/linear", fractions=_fractions),
    dict(task="classification", data="chexpert", protocol="prior/finetune"),
    dict(task="zero_shot", data="chexpert_5x200", protocol="prior/zero_shot", seeds=[0, 1, 2]),
    dict(task="zero_shot", data="chexpert_5x200", protocol="prior/zero_shot_draws"),
    dict(task="retrieval", data="mimic_cxr", protocol="prior/retrieval", seeds=[0, 1, 2]),
    dict(task="segmentation", data="siim_acr", protocol="prior/segmentation_siim"),
    dict(task="segmentation", data="rsna_pneumonia", protocol="prior/segmentation_rsna", seeds=[0, 1, 2]),
    dict(task="detection", data="rsna_pneumonia", protocol="prior/detection_rsna"),
]
