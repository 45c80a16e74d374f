"""LoVT's U-Net segmentation on SIIM-ACR, fine-tuned: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/segmentation_unet_finetune_siim
"""

_base_ = ["./segmentation_unet_frozen_siim.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=False),
    # LoVT begins with 100 steps of a frozen encoder; here the rate increases over 100 steps
    optimizer=dict(lr=3e-5, warmup=100),
)
