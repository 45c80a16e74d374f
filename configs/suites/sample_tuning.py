"""Learning rates of the sample benchmark's methods, from one grid, compared on the validation cohort.

prior-bench run sample_tuning --jobs 2

No patient of the test cohort is in it. The table of the same name shows the results.
"""

name = "sample_tuning"
title = "Learning rates on the validation cohort of the sample benchmark"
table = "sample_tuning"
seeds = [0]

_methods = {
    "ConVIRT": "convirt_sample",
    "GLoRIA": "gloria_sample",
    "MGCA": "mgca_sample",
    "PRIOR": "prior_sample",
    "PRIOR, extended": "prior_extended_sample",
}
_rates = (5e-4, 1e-3, 2e-3)
backbones = [
    dict(name=f"{name}, {rate:g}", type="pretrain", config=config, overrides={"optimizer.lr": rate})
    for name, config in _methods.items()
    for rate in _rates
]

evaluations = [
    dict(task="classification", data="sample_validation:chexpert", protocol="demo/linear_probe"),
    dict(task="zero_shot", data="sample_validation:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="retrieval", data="sample_validation:mimic_cxr", protocol="demo/retrieval"),
]
