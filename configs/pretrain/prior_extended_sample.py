"""PRIOR with our extension on the sample benchmark: the local text loss has negatives from other images.

prior-bench pretrain prior_extended_sample
"""

_base_ = "prior_sample.py"

method = dict(variant="extended")
