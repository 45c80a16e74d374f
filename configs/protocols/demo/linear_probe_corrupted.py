"""The clean linear probe under corruptions, for the synthetic sample benchmark.

prior-bench run robustness_demo
"""

_base_ = ["../clean/linear_probe_corrupted.py"]
