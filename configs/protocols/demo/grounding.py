"""The clean phrase grounding, for the synthetic sample benchmark.

prior-bench eval grounding --backbone my.ckpt --data sample:ms_cxr --protocol demo/grounding
"""

_base_ = ["../clean/grounding.py"]
