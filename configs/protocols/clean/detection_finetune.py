"""Detection with all weights trained; BatchNorm keeps its statistics of the pre-training.

prior-bench eval detection --backbone my.ckpt --data rsna_pneumonia --protocol clean/detection_finetune
"""

_base_ = ["./detection_frozen.py"]

protocol = dict(
    frozen=dict(backbone=False, batch_norm=True),
    optimizer=dict(lr=3e-4, backbone_lr_scale=0.1, warmup=100),
)
