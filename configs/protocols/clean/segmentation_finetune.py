"""Segmentation with all weights trained; BatchNorm keeps its statistics of the pre-training.

prior-bench eval segmentation --backbone my.ckpt --data siim_acr --protocol clean/segmentation_finetune
"""

_base_ = ["./segmentation_frozen.py"]

protocol = dict(
    transform=dict(train=dict(RandomAffine=dict(degrees=10, scale=(0.9, 1.1), p=0.5))),
    frozen=dict(backbone=False, batch_norm=True),
    optimizer=dict(lr=1e-4, backbone_lr_scale=0.1, warmup=100, clip=1.0),
)
