"""Segmentation of RSNA's filled boxes as MGCA's released code does it: docs/protocols/mgca.md.

prior-bench run mgca_segmentation --only protocol=mgca/segmentation_rsna
"""

protocol = dict(
    task="segmentation",
    source="MGCA (arXiv 2210.06044), code: mgca/models/ssl_segmenter.py, mgca/models/mgca/mgca_segmenter.py",
    split=dict(rule="mgca_detection"),
    fraction_sampler=dict(by="choice", seed=42),
    transform=dict(
        input=dict(
            size=224,
            mean=0.5,
            std=0.5,
            resize="squash",
            interpolation="bilinear_aliased",
            brighten="nearest",
        ),
        train=dict(RandomAffine=dict(degrees=10, scale=(0.9, 1.1), p=0.5)),
        masks="area",
        augment="stored",
    ),
    head=dict(
        type="smp_unet",
        strides=(2, 4, 8, 16, 32),
        channels=(256, 128, 64, 32, 16),
        loss=dict(focal=10.0, log_dice=1.0),
    ),
    frozen=dict(backbone=True, batch_norm=False),
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=0.05, betas=(0.9, 0.999), schedule="constant"),
    batch_size=16,
    stopping=dict(epochs=50, patience=10, monitor="minus_loss", tested="best", last_batch="dropped"),
    metrics=("dice_per_image_empty1", "dice_positives", "dice_micro", "mdice", "iou"),
    defects=(
        "the frozen encoder's BatchNorm is in training mode (mgca/models/mgca/mgca_segmenter.py:93-95)",
        "an image without foreground scores 1 where nothing is predicted: predicting nothing anywhere scores "
        "76.6 (mgca/models/ssl_segmenter.py:81-121)",
        "masks are filled boxes (mgca/datasets/segmentation_dataset.py); RSNA has no others",
        "1,328 test images are in train of mgca/linear_rsna (mgca/preprocess/rsna.py:110-113)",
    ),
)
