"""LoVT's detection on RSNA, fine-tuned, with all labels: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/detection_finetune_rsna
"""

_base_ = ["./detection_frozen_rsna.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # each step sets the rate again, so that nothing reduces it
    optimizer=dict(
        _delete_=True,
        type="Adam",
        lr=3e-4,
        weight_decay=1e-6,
        schedule="constant",
        frozen_steps=100,
        frozen_lr=1e-3,
        amp=True,
    ),
)
