"""The demo's backbones on corrupted images and with other prompts, and the cost of their image encoders.

prior-bench run robustness_demo

The weights are those of the demo and are not trained again.
"""

_base_ = "demo.py"

name = "robustness_demo"
title = "Robustness and cost on the sample benchmark"
table = "robustness_demo"
seeds = [0]

evaluations = [
    dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe_corrupted"),
    dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot_corrupted"),
    dict(task="throughput", data="sample:chexpert", protocol="clean/throughput"),
]
