"""LoVT's U-Net segmentation on SIIM-ACR with a frozen encoder: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/segmentation_unet_frozen_siim
"""

_base_ = ["./segmentation_linear_rsna.py"]

protocol = dict(
    fraction_sampler=dict(_delete_=True, by="first_rounded"),
    transform=dict(input=dict(mean=0.5043, std=0.2880, equalize="png")),
    head=dict(type="resunet", strides=(2, 4, 8, 16, 32), channels=(2048, 1024, 512, 256, 128, 64)),
    optimizer=dict(lr=3e-5),
    defects=(),
)
