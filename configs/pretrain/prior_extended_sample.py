"""PRIOR with our extensions on the sample benchmark (docs/deviations.md).

prior-bench pretrain prior_extended_sample
"""

_base_ = "prior_sample.py"

method = dict(variant="extended")
optimizer = dict(lr=5e-4)  # of the rates that docs/sample_benchmark.md compares
