"""Phrase grounding on a data set with boxes, each class named by a prompt.

prior-bench eval grounding --backbone my.ckpt --data rsna_pneumonia --protocol clean/grounding_prompts
"""

_base_ = ["grounding.py"]

protocol = dict(options=dict(prompts="boxed_findings"))
