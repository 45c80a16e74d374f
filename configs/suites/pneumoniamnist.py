"""PneumoniaMNIST alone: a linear probe and fine-tuning at 64 pixels, in minutes on a laptop.

prior-bench run pneumoniamnist --data pneumoniamnist.npz
prior-bench run pneumoniamnist --data medmnist@FOLDER

The rows are the sample benchmark's: small networks, pre-trained on synthetic radiographs and reports (a
minute or two each, kept for other suites). For a checkpoint of yours: docs/protocols/README.md.
"""

name = "pneumoniamnist"
title = "PneumoniaMNIST on a laptop"
table = "pneumoniamnist"
seeds = [0, 1]

backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample"),
    dict(name="GLoRIA", type="pretrain", config="gloria_sample"),
    dict(name="MGCA", type="pretrain", config="mgca_sample"),
    dict(name="PRIOR", type="pretrain", config="prior_sample"),
]

_data = dict(name="pneumoniamnist", type="medmnist", root="medmnist", subset="pneumoniamnist")
evaluations = [
    dict(task="classification", data=_data, protocol="laptop/linear_probe"),
    dict(task="classification", data=_data, protocol="laptop/finetune"),
]
