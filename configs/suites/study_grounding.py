"""Where the models of the study see what a phrase describes: three kinds of maps, five seeds.

prior-bench run study_grounding --jobs 2      (takes the study's weights)

It is apart from the study because only Grad-CAM is defined for all rows, and its maps are as coarse as the
last stage. Random weights have a row for each network, because their projections of words and patches differ.
"""

_base_ = "study.py"

name = "study_grounding"
title = "The study of the sample benchmark: grounding of phrases"
table = "study_grounding"

backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="Random, GLoRIA", type="random", config="gloria_sample"),
    dict(name="Random, MGCA", type="random", config="mgca_sample"),
    dict(name="Random, PRIOR", type="random", config="prior_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample"),
    dict(name="GLoRIA", type="pretrain", config="gloria_sample"),
    dict(name="MGCA", type="pretrain", config="mgca_sample"),
    dict(name="PRIOR", type="pretrain", config="prior_sample"),
    dict(name="PRIOR, extended", type="pretrain", config="prior_extended_sample"),
]

evaluations = [
    dict(task="grounding", data="sample_study:ms_cxr", protocol="demo/grounding"),
    dict(task="grounding", data="sample_study:ms_cxr", protocol="demo/grounding_similarity"),
    dict(task="grounding", data="sample_study:ms_cxr", protocol="demo/grounding_grad_cam"),
]
