"""LoVT's U-Net segmentation on SIIM-ACR, fine-tuned: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/segmentation_unet_finetune_siim
"""

_base_ = ["./segmentation_unet_frozen_siim.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # each step sets the rate again, so that nothing reduces it
    optimizer=dict(
        _delete_=True,
        type="Adam",
        lr=3e-5,
        weight_decay=1e-6,
        schedule="constant",
        frozen_steps=100,
        frozen_lr=1e-3,
        amp=True,
    ),
)
