"""PRIOR and its extension without one of their parts at a time, on the sample benchmark.

prior-bench run prior_ablation_demo --jobs 2

It takes the study's weights for the rows that both have.
"""

name = "prior_ablation_demo"
title = "PRIOR's ablations on the sample benchmark"
table = "prior_ablation_demo"
seeds = [0, 1]
threads = 1  # the same numbers whatever the number of cores and jobs

_no_lam = {"method.weights.local_image": 0.0, "method.weights.local_text": 0.0}
_no_bank = {"method.prototypes": 0, "hooks": ()}
_no_image = {"method.weights.image": 0.0}
_no_report = {
    "method.weights.report": 0.0,
    "method.weights.query": 0.0,
    "method.weights.report_global": 0.0,
}
_without = {
    "": {},
    "without LAM": _no_lam,
    "without SPB": _no_bank,
    "without CCR, image": _no_image,
    "without CCR, report": _no_report,
    "global loss alone": {**_no_lam, **_no_bank, **_no_image, **_no_report},
}
_configs = {"PRIOR": "prior_sample", "PRIOR, extended": "prior_extended_sample"}
backbones = [
    dict(name=f"{name} {part}".strip(), type="pretrain", config=config, overrides=overrides)
    for name, config in _configs.items()
    for part, overrides in _without.items()
    if not (part == "global loss alone" and config == "prior_extended_sample")  # all its extensions are off
]

evaluations = [
    dict(
        task="classification",
        data="sample:chexpert",
        protocol="demo/linear_probe",
        fractions=[0.01, 0.1, 1.0],
    ),
    dict(
        task="zero_shot",
        data="sample:chexpert_5x200",
        protocol="demo/zero_shot",
    ),
    dict(task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval"),
    dict(task="grounding", data="sample:ms_cxr", protocol="demo/grounding"),
]
