"""Fine-tuning of the whole image encoder with a linear head; the validation split chooses the epoch.

prior-bench eval classification --backbone my.ckpt --data chexpert --protocol clean/finetune
"""

protocol = dict(
    task="classification",
    source="settings similar to ConVIRT (arXiv 2010.00747) and BenchX (arXiv 2410.21969)",
    # no flip: left and right are not alike in a chest
    transform=dict(
        train=dict(
            RandomResizedCrop=dict(scale=(0.6, 1.0), ratio=(0.8, 1.25)),
            RandomAffine=dict(degrees=10, p=0.5),
            ColorJitter=dict(brightness=0.2, contrast=0.2),
        )
    ),
    head=dict(type="linear", norm="layer", dropout=0.0, init="truncated_normal"),
    frozen=dict(backbone=False, batch_norm=False),
    optimizer=dict(
        type="AdamW",
        lr=1e-3,
        backbone_lr_scale=0.1,
        weight_decay=1e-4,
        clip=1.0,
        schedule="cosine",
        warmup=100,
        amp=True,
    ),
    batch_size=64,
    stopping=dict(epochs=50, patience=10, monitor="auroc", tested="best"),
    metrics=("auroc", "auprc", "accuracy", "f1"),
    options=dict(threshold="validation_f1"),
)
