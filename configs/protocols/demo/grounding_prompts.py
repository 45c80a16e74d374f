"""The clean phrase grounding by prompts, for the boxes of the synthetic sample benchmark.

prior-bench eval grounding --backbone my.ckpt --data sample:rsna_pneumonia --protocol demo/grounding_prompts
"""

_base_ = ["../clean/grounding_prompts.py"]
