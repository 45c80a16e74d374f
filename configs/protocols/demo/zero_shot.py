"""The clean zero-shot classification with the sample benchmark's own prompts.

prior-bench eval zero_shot --backbone my.ckpt --data sample:chexpert_5x200 --protocol demo/zero_shot
"""

_base_ = ["../clean/zero_shot.py"]

protocol = dict(options=dict(prompts="sample", prompts_per_class=None, pooling="mean"))
