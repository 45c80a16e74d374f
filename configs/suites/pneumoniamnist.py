"""PneumoniaMNIST alone: a linear probe and fine-tuning at 64 pixels, in minutes on a laptop.

prior-bench run pneumoniamnist --data pneumoniamnist.npz
prior-bench run pneumoniamnist --data medmnist@FOLDER

The rows are those of the sample benchmark: small networks, pre-trained on synthetic radiographs and reports.
Each pre-training takes a minute or two, and other suites use the weights again. For your own checkpoint, see
docs/protocols/README.md.
"""

_base_ = "demo.py"

name = "pneumoniamnist"
title = "PneumoniaMNIST on a laptop"
table = "pneumoniamnist"

_data = dict(name="pneumoniamnist", type="medmnist", root="medmnist", subset="pneumoniamnist")
evaluations = [
    dict(task="classification", data=_data, protocol="laptop/linear_probe"),
    dict(task="classification", data=_data, protocol="laptop/finetune"),
]
