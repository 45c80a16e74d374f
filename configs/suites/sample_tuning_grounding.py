"""Which kind of map grounds phrases best on the validation cohort, for the models of the study.

prior-bench run sample_tuning_grounding --jobs 2

It takes the study's weights.
"""

_base_ = "study.py"

name = "sample_tuning_grounding"
title = "Kinds of maps on the validation cohort"
table = "sample_tuning_grounding"

evaluations = [
    dict(task="grounding", data="sample_validation:ms_cxr", protocol="demo/grounding"),
    dict(task="grounding", data="sample_validation:ms_cxr", protocol="demo/grounding_similarity"),
    dict(task="grounding", data="sample_validation:ms_cxr", protocol="demo/grounding_grad_cam"),
]
