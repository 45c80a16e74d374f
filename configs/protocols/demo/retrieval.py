"""The clean retrieval, for the synthetic sample benchmark.

prior-bench eval retrieval --backbone my.ckpt --data sample:mimic_cxr --protocol demo/retrieval
"""

_base_ = ["../clean/retrieval.py"]
