"""The sample benchmark: every backbone in all task families, on synthetic data, in minutes.

prior-bench run demo

It shows the whole way from data to table and report. Its training is short and it has one seed, so it ranks
nothing; ``prior-bench run study`` compares the methods.
"""

name = "demo"
title = "The sample benchmark"
table = "demo"
seeds = [0]
threads = 1  # the same numbers whatever the number of cores and jobs

# four epochs for every method, where the study has twelve
_short = {"schedule.epochs": 4}
_prior_short = {
    "schedule.stages": (
        dict(epochs=2, warmup_epochs=1),
        dict(epochs=1, warmup_epochs=0.3, lr_factor=0.5),
        dict(epochs=1, warmup_epochs=0.3, lr_factor=0.5),
    )
}
backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample", overrides=_short),
    dict(name="GLoRIA", type="pretrain", config="gloria_sample", overrides=_short),
    dict(name="MGCA", type="pretrain", config="mgca_sample", overrides=_short),
    dict(name="PRIOR", type="pretrain", config="prior_sample", overrides=_prior_short),
]

evaluations = [
    dict(
        task="classification",
        data="sample:chexpert",
        protocol="demo/linear_probe",
        fractions=[0.01, 0.1, 1.0],
    ),
    dict(task="classification", data="sample:chexpert", protocol="demo/finetune_short"),
    dict(
        task="zero_shot",
        data="sample:chexpert_5x200",
        protocol="demo/zero_shot",
    ),
    dict(task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval"),
    dict(task="grounding", data="sample:ms_cxr", protocol="demo/grounding"),
    dict(task="segmentation", data="sample:siim_acr", protocol="demo/segmentation"),
    dict(task="detection", data="sample:rsna_pneumonia", protocol="demo/detection"),
]
