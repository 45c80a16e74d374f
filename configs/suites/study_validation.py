"""The models of the study on the validation cohort: does another cohort rank the methods alike?

prior-bench run study_validation --jobs 2

It takes the study's weights. Its tasks are those that train no decoder.
"""

_base_ = "study.py"

name = "study_validation"
title = "The models of the study on the validation cohort"
table = "study_validation"

evaluations = [
    dict(
        task="classification",
        data="sample_validation:chexpert",
        protocol="demo/linear_probe",
        fractions=[0.01, 0.1, 1.0],
    ),
    dict(task="zero_shot", data="sample_validation:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="retrieval", data="sample_validation:mimic_cxr", protocol="demo/retrieval"),
    dict(task="grounding", data="sample_validation:ms_cxr", protocol="demo/grounding"),
]
