"""Segmentation of RSNA's filled boxes with UperNet as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_segmentation --only protocol=benchx/segmentation_rsna
"""

protocol = dict(
    task="segmentation",
    source="BenchX (arXiv 2410.21969), code (the paper says SGD and batches of 32)",
    split=dict(rule="benchx"),
    transform=dict(
        input=dict(size=512, mean=0.4978, std=0.2449, resize="pad"),
        train=dict(RandomHorizontalFlip=dict(p=0.5)),
    ),
    head=dict(
        type="upernet",
        strides=(4, 8, 16, 32),
        channels=(512,),
        outputs=2,
        dropout=0.1,
        loss=dict(cross_entropy=1.0),
    ),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(
        type="AdamW",
        lr=1e-4,
        weight_decay=0.05,
        betas=(0.9, 0.999),
        schedule="linear",
        warmup=1500,
        warmup_start=1e-6,
        amp=True,
    ),
    batch_size=8,
    stopping=dict(iterations=20000, interval=2000, patience=None, monitor="mdice", tested="best"),
    metrics=("mdice", "dice_micro", "dice_positives", "dice_per_image_empty1", "iou"),
    defects=(
        "mDice averages background and foreground: predicting nothing anywhere scores 49.3",
        "masks are filled boxes; RSNA has no others",
        "images are flipped, although left and right are not alike",
    ),
)
