"""The clean phrase grounding by cosines, for the synthetic sample benchmark.

prior-bench eval grounding --backbone my.ckpt --data sample:ms_cxr --protocol demo/grounding_similarity
"""

_base_ = ["../clean/grounding_similarity.py"]
