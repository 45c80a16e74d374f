"""Normalisation, rate of the backbone and pooling of fine-tuning, compared on the validation cohort.

prior-bench run sample_tuning_finetune --jobs 2

It takes the study's weights of one seed, and evaluates every row, random weights included, five ways.
No patient of the test cohort is in it.
"""

_base_ = "study.py"

name = "sample_tuning_finetune"
title = "Choices of fine-tuning on the validation cohort of the sample benchmark"
table = "sample_tuning_finetune"
seeds = [0]

evaluations = [
    dict(task="classification", data="sample_validation:chexpert", protocol=f"demo/finetune_{choice}")
    for choice in ("layer_015", "layer_050", "batch_015", "batch_050")
] + [
    dict(task="classification", data="sample_validation:chexpert", protocol="demo/finetune"),
]
