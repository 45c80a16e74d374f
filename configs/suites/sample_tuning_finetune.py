"""The rate of the backbone in the sample benchmark's fine-tuning, compared on the validation cohort.

prior-bench run sample_tuning_finetune --jobs 2

It takes the study's weights of one seed, and evaluates every row, random weights included, with three rates.
No patient of the test cohort is in it.
"""

_base_ = "study.py"

name = "sample_tuning_finetune"
title = "The rate of fine-tuning on the validation cohort of the sample benchmark"
table = "sample_tuning_finetune"
seeds = [0]

evaluations = [
    dict(
        task="classification",
        data="sample_validation:chexpert",
        protocol=f"demo/finetune_backbone_{scale}",
        fractions=[0.1, 1.0],
    )
    for scale in ("005", "015", "050")
]
