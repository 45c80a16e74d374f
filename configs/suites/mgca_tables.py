"""MGCA's tables at paper scale: linear classification, segmentation and detection, 1, 10 and 100 % of labels.

prior-bench run mgca_tables --dry-run
prior-bench run mgca_tables --data sample --jobs 2

The three parts are suites too. The other papers' suites of image tasks take their rows from here. Copy the
released files to checkpoints/ (docs/protocols/README.md). If the file of a row is missing, a dry run shows
the reason, and a run stops with an error unless --only backbone=... leaves the row out.
"""

name = "mgca_tables"
title = "MGCA's tables"
table = ["mgca_linear", "mgca_segmentation", "mgca_detection"]
seeds = [42]
allow_leakage = True  # SIIM-ACR is split by regions, so some images are in train and in test

backbones = [
    dict(name="Random", type="random", image_encoder="resnet50"),
    dict(name="ImageNet", type="timm", image_encoder="resnet50.tv_in1k"),
    dict(name="ConVIRT", type="pretrain", config="convirt_r50_mimic"),
    dict(name="GLoRIA", type="checkpoint", path="checkpoints/chexpert_resnet50.ckpt"),
    dict(name="MGCA", type="checkpoint", path="checkpoints/mgca_resnet_50.ckpt"),
    dict(name="PRIOR", type="checkpoint", path="checkpoints/prior_resnet50.pt"),
]

_fractions = [0.01, 0.1, 1.0]
_linear = [
    dict(task="classification", data="chexpert", protocol="mgca/linear_chexpert", fractions=_fractions),
    dict(task="classification", data="rsna_pneumonia", protocol="mgca/linear_rsna", fractions=_fractions),
    dict(task="classification", data="covidx@covidx_9a", protocol="mgca/linear_covidx", fractions=_fractions),
]
_segmentation = [
    dict(task="segmentation", data="siim_acr", protocol="mgca/segmentation_siim", fractions=[0.01, 1.0]),
    dict(task="segmentation", data="siim_acr", protocol="mgca/segmentation_siim_10", fractions=[0.1]),
    dict(task="segmentation", data="rsna_pneumonia", protocol="mgca/segmentation_rsna", fractions=_fractions),
]
_detection = [
    dict(task="detection", data="rsna_pneumonia", protocol="mgca/detection_rsna_1", fractions=[0.01]),
    dict(task="detection", data="rsna_pneumonia", protocol="mgca/detection_rsna", fractions=[0.1, 1.0]),
    dict(task="detection", data="object_cxr", protocol="mgca/detection_object_1", fractions=[0.01]),
    dict(task="detection", data="object_cxr", protocol="mgca/detection_object", fractions=[0.1, 1.0]),
]
evaluations = _linear + _segmentation + _detection
