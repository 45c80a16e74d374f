"""LoVT's detection on Object-CXR, fine-tuned: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/detection_finetune_object
"""

_base_ = ["./detection_frozen_object.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # LoVT begins with 100 steps of a frozen encoder; here the rate increases over 100 steps
    optimizer=dict(lr=1e-3, warmup=100),
)
