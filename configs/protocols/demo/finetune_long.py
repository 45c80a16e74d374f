"""The demo's fine-tuning, four times as long, so that no method ends below its own linear probe.

prior-bench eval classification --backbone my.ckpt --data sample:chexpert --protocol demo/finetune_long
"""

_base_ = ["finetune.py"]

protocol = dict(
    optimizer=dict(warmup=20),
    stopping=dict(iterations=180, interval=30),
)
