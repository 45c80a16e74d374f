"""A third of the fine-tuning of the sample benchmark, for the demo.

prior-bench eval classification --backbone my.ckpt --data sample:chexpert --protocol demo/finetune_short
"""

_base_ = ["finetune.py"]

protocol = dict(stopping=dict(iterations=60, interval=20))
