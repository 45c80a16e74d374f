"""PRIOR without one of its parts at a time, on the demo's tasks.

prior-bench run prior_ablation_demo --jobs 2
"""

_base_ = "demo.py"

name = "prior_ablation_demo"
title = "PRIOR's ablations on the sample benchmark"
table = "prior_ablation_demo"
seeds = [0, 1]

_prior = dict(type="pretrain", config="prior_sample")
backbones = [
    dict(name="PRIOR", **_prior),
    dict(
        name="without LAM",
        overrides={"method.weights.local_image": 0.0, "method.weights.local_text": 0.0},
        **_prior,
    ),
    dict(name="without SPB", overrides={"method.prototypes": 0, "hooks": ()}, **_prior),
    dict(name="without CCR, image", overrides={"method.weights.image": 0.0}, **_prior),
    dict(
        name="without CCR, report",
        overrides={
            "method.weights.report": 0.0,
            "method.weights.query": 0.0,
            "method.weights.report_global": 0.0,
        },
        **_prior,
    ),
]
