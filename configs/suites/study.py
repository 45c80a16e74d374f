"""The study of the sample benchmark: five seeds, all methods, the comparisons declared in its table.

prior-bench run study --jobs 2      (resumes)
prior-bench run study --gpus all

Methods are pre-trained on ``sample:mimic_cxr`` and evaluated on the patients of ``sample_study``, whom no
other suite sees. The evaluations are those of the demo, but fine-tuning is longer and is done with a tenth of
the labels as well, and detection averages three detectors for each backbone and seed. Random weights have two
rows, because PRIOR pools by attention and the others do not. Grounding is in ``study_grounding``.
"""

name = "study"
title = "The study of the sample benchmark"
table = "study"
seeds = [0, 1, 2, 3, 4]
threads = 1  # the same numbers whatever the number of cores and jobs

backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="Random, attention pool", type="random", config="prior_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample"),
    dict(name="GLoRIA", type="pretrain", config="gloria_sample"),
    dict(name="MGCA", type="pretrain", config="mgca_sample"),
    dict(name="PRIOR", type="pretrain", config="prior_sample"),
    dict(name="PRIOR, extended", type="pretrain", config="prior_extended_sample"),
]

evaluations = [
    dict(
        task="classification",
        data="sample_study:chexpert",
        protocol="demo/linear_probe",
        fractions=[0.01, 0.1, 1.0],
    ),
    dict(
        task="classification",
        data="sample_study:chexpert",
        protocol="demo/finetune",
        fractions=[0.1, 1.0],
    ),
    dict(
        task="zero_shot",
        data="sample_study:chexpert_5x200",
        protocol="demo/zero_shot",
    ),
    dict(task="retrieval", data="sample_study:mimic_cxr", protocol="demo/retrieval"),
    dict(task="segmentation", data="sample_study:siim_acr", protocol="demo/segmentation"),
    dict(task="detection", data="sample_study:rsna_pneumonia", protocol="demo/detection_three_heads"),
]
