"""Segmentation of RSNA's filled boxes by a linear layer as LoVT runs it, 100 %: docs/protocols/lovt.md.

prior-bench run lovt_rsna --only protocol=lovt/segmentation_linear_rsna
"""

protocol = dict(
    task="segmentation",
    source="LoVT (arXiv 2112.02889), code: src/models/downstream/segmentation.py, configs/evaluation_model",
    split=dict(rule="lovt"),
    fraction_sampler=dict(by="first_rounded", valid_share=0.1, always_valid_share=True),
    transform=dict(input=dict(size=224, mean=0.4899, std=0.2482, resize="pad_first"), train=dict()),
    head=dict(type="linear_lovt", strides=(32,), channels=(), loss=dict(smp_dice=1.0)),
    frozen=dict(backbone=True, batch_norm=True),
    optimizer=dict(
        type="Adam",
        lr=3e-2,
        weight_decay=1e-6,
        schedule="plateau",
        factor=0.5,
        patience=3,
        plateau_on="valid_loss",
        amp=True,
    ),
    batch_size=64,
    stopping=dict(
        epochs=50,
        patience=10,
        monitor="dice_micro",
        tested="best",
        min_delta=1e-5,
        last_batch="dropped_in_training",
    ),
    metrics=("dice_micro", "dice_positives", "dice_per_image_empty1", "mdice", "iou"),
    defects=(
        "masks are filled boxes; RSNA has no others",
        "1 % and 10 % are the first rows of the list, the same in every run (datasets/*/train.csv)",
        "all runs validate on the first tenth of the validation split (configs/dataset/rsna*.yaml)",
    ),
)
