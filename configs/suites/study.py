"""The study of the sample benchmark: five seeds, all methods, the comparisons declared in its table.

prior-bench run study --jobs 2      (about an hour on two cores; resumes)
prior-bench run study --gpus all
"""

_base_ = "demo.py"

name = "study"
title = "The study of the sample benchmark"
table = "study"
seeds = [0, 1, 2, 3, 4]

backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample"),
    dict(name="GLoRIA", type="pretrain", config="gloria_sample"),
    dict(name="MGCA", type="pretrain", config="mgca_sample"),
    dict(name="PRIOR", type="pretrain", config="prior_sample"),
    dict(name="PRIOR, extended", type="pretrain", config="prior_extended_sample"),
]
