"""The ablations of PRIOR on the sample benchmark.

prior-bench table prior_ablation_demo
"""

_base_ = "demo.py"

title = "PRIOR without one of its parts, sample benchmark (synthetic data)"
suite = "prior_ablation_demo"
