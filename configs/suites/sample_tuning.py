"""Choices of the sample benchmark's configs, compared on the validation cohort.

One grid of learning rates for all methods, and the other grid of patches for those with local losses; PRIOR's
number of prototypes and the weight of its report branch.

prior-bench run sample_tuning --jobs 2

No patient of the test cohort is in it. The table of the same name shows the results.
"""

name = "sample_tuning"
title = "Choices on the validation cohort of the sample benchmark"
table = "sample_tuning"
seeds = [0]
threads = 1  # the same numbers whatever the number of cores and jobs

_methods = {
    "ConVIRT": "convirt_sample",
    "GLoRIA": "gloria_sample",
    "MGCA": "mgca_sample",
    "PRIOR": "prior_sample",
    "PRIOR, extended": "prior_extended_sample",
}
_rates = (5e-4, 1e-3, 2e-3)
_coarse = {"method.image_encoder.local_stage": -2}
_fine = {"method.image_encoder.local_stage": -3}
_patches = {"GLoRIA": _coarse}  # as here; its config has what sample_tuning_gloria chose later
backbones = [
    dict(
        name=f"{name}, {rate:g}",
        type="pretrain",
        config=config,
        overrides={"optimizer.lr": rate, **_patches.get(name, {})},
    )
    for name, config in _methods.items()
    for rate in _rates
]
_other_patches = {
    "GLoRIA, 8 x 8 patches": ("gloria_sample", {**_fine, "optimizer.lr": 5e-4}),
    "MGCA, 8 x 8 patches": ("mgca_sample", _fine),
    "PRIOR, 8 x 8 patches": ("prior_sample", {**_fine, "method.image_blocks": 3}),
    "PRIOR, extended, 4 x 4 patches": ("prior_extended_sample", {**_coarse, "method.image_blocks": 4}),
}
backbones += [
    dict(name=name, type="pretrain", config=config, overrides=overrides)
    for name, (config, overrides) in _other_patches.items()
]
_prior = dict(type="pretrain", config="prior_sample")
backbones += [
    dict(name="PRIOR, 128 prototypes", overrides={"method.prototypes": 128}, **_prior),
    dict(
        name="PRIOR, heavier report branch",
        overrides={"method.weights": dict(report=2.0, query=1.0, report_global=1.0)},
        **_prior,
    ),
]

evaluations = [
    dict(task="classification", data="sample_validation:chexpert", protocol="demo/linear_probe"),
    dict(task="zero_shot", data="sample_validation:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="retrieval", data="sample_validation:mimic_cxr", protocol="demo/retrieval"),
    dict(task="grounding", data="sample_validation:ms_cxr", protocol="demo/grounding"),
]
