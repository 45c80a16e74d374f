"""MGCA's linear classification at paper scale: CheXpert, RSNA and COVIDx with 1, 10 and 100 % of the labels.

prior-bench run mgca_linear --dry-run

The other papers' suites of image tasks take their rows from here. Put the released files into checkpoints/
(docs/protocols/README.md); a row without its file is a reason in a dry run, and an error in a run unless
--only backbone=... leaves it out.
"""

name = "mgca_linear"
title = "MGCA's linear classification"
table = "mgca_linear"
seeds = [42]

backbones = [
    dict(name="Random", type="random", image_encoder="resnet50"),
    dict(name="ImageNet", type="timm", image_encoder="resnet50.tv_in1k"),
    dict(name="ConVIRT", type="pretrain", config="convirt_r50_mimic"),
    dict(name="GLoRIA", type="checkpoint", path="checkpoints/chexpert_resnet50.ckpt"),
    dict(name="MGCA", type="checkpoint", path="checkpoints/mgca_resnet_50.ckpt"),
    dict(name="PRIOR", type="checkpoint", path="checkpoints/prior_resnet50.pt"),
]

_fractions = [0.01, 0.1, 1.0]
evaluations = [
    dict(task="classification", data="chexpert", protocol="mgca/linear_chexpert", fractions=_fractions),
    dict(task="classification", data="rsna_pneumonia", protocol="mgca/linear_rsna", fractions=_fractions),
    dict(task="classification", data="covidx@covidx_9a", protocol="mgca/linear_covidx", fractions=_fractions),
]
