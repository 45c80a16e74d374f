"""The clean linear probe, for the synthetic sample benchmark.

prior-bench eval classification --backbone my.ckpt --data sample:chexpert --protocol demo/linear_probe
"""

_base_ = ["../clean/linear_probe.py"]
