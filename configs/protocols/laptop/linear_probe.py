"""The clean linear probe at 64 pixels, for small images on a laptop.

prior-bench eval classification --backbone my.ckpt --data pneumoniamnist.npz --protocol laptop/linear_probe
"""

_base_ = ["../clean/linear_probe.py"]

protocol = dict(transform=dict(input=dict(size=64)))
