"""Linear probes on 1 to 16 images per class and on all labels: random weights and ConVIRT, three draws.

prior-bench run few_shot_demo

The seed of a run makes the weights and the draw, so each seed trains ConVIRT once (four epochs, as in the
demo). The report draws the curve over the images per class.
"""

name = "few_shot_demo"
title = "Few-shot probes on the sample benchmark"
table = "few_shot_demo"
seeds = [0, 1, 2]
threads = 1  # the same numbers whatever the number of cores and jobs

backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample", overrides={"schedule.epochs": 4}),
]

evaluations = [
    dict(
        task="classification",
        data="sample:chexpert",
        protocol="demo/linear_probe",
        shots=[1, 2, 4, 8, 16],
        fractions=[1.0],
    ),
]
