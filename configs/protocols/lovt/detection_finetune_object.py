"""LoVT's detection on Object-CXR, fine-tuned: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/detection_finetune_object
"""

_base_ = ["./detection_frozen_object.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # 100 steps with a frozen encoder come first there; here the rate rises over as many
    optimizer=dict(lr=1e-3, warmup=100),
)
