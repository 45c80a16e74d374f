"""Segmentation with a frozen backbone: only a U-Net decoder is trained.

prior-bench eval segmentation --backbone my.ckpt --data siim_acr --protocol clean/segmentation_frozen
"""

protocol = dict(
    task="segmentation",
    source="settings similar to MGCA (arXiv 2210.06044) and LoVT (arXiv 2112.02889), without their defects",
    transform=dict(train=dict()),
    head=dict(
        type="unet",
        strides=(4, 8, 16, 32),
        channels=(256, 128, 64),
        dropout=0.0,
        loss=dict(cross_entropy=1.0, dice=1.0),
    ),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=1e-6, schedule="constant", amp=True),
    batch_size=16,
    stopping=dict(epochs=50, patience=10, monitor="dice_micro", tested="best"),
    metrics=("dice_micro", "dice_positives", "dice_per_image_empty1", "mdice", "iou"),
)
