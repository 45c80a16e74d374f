"""LoVT's detection on RSNA, fine-tuned, with all labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_finetune_rsna
"""

_base_ = ["./detection_frozen_rsna.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # LoVT begins with 100 steps of a frozen encoder; here the rate increases over 100 steps
    optimizer=dict(lr=3e-4, warmup=100),
)
