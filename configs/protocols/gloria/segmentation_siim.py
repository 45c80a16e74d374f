"""Segmentation on SIIM-ACR Pneumothorax as GLoRIA's released code does it: docs/protocols/gloria.md.

prior-bench run gloria_tasks --only protocol=gloria/segmentation_siim
"""

protocol = dict(
    task="segmentation",
    source="GLoRIA (ICCV 2021), code: gloria/lightning/segmentation_model.py, gloria/datasets",
    split=dict(rule="mgca"),
    fraction_sampler=dict(by="choice", seed=1, balanced=True, draws=2),
    transform=dict(
        input=dict(
            size=512,
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
    frozen=dict(backbone=False, batch_norm=False),
    optimizer=dict(
        type="Adam", lr=5e-4, weight_decay=1e-6, betas=(0.5, 0.999), schedule="constant", amp=True
    ),
    batch_size=8,
    stopping=dict(
        epochs=100, patience=20, monitor="dice_per_image_empty1", tested="last", last_batch="dropped"
    ),
    metrics=("dice_per_image_empty1", "dice_positives", "dice_micro", "mdice", "iou"),
    defects=(
        "the encoder is fine-tuned (freeze_cnn: false), where papers that quote the numbers say frozen",
        "split by rows of the run-length file: 154 images are in train and test, and 183 of 476 positive "
        "test images have an incomplete mask (gloria/datasets/preprocess_datasets.py)",
        "trained on as many negatives as positives, tested on the natural share "
        "(gloria/datasets/image_dataset.py:186-203)",
        "an image without foreground scores 1 where nothing is predicted: predicting nothing anywhere scores "
        "75.0 (gloria/lightning/segmentation_model.py:106-148)",
        "the last weights are tested, not the best (run.py:107-111)",
    ),
)
