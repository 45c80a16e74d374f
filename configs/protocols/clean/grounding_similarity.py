"""Phrase grounding by the cosine of patches and words or sentences, for methods with local features.

prior-bench eval grounding --backbone my.ckpt --data ms_cxr@mimic_cxr --protocol clean/grounding_similarity
"""

_base_ = ["grounding.py"]

protocol = dict(options=dict(map="similarity"))
