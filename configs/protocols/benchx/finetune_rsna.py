"""Fine-tuning on RSNA Pneumonia as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_rsna
"""

protocol = dict(
    task="classification",
    source="BenchX (arXiv 2410.21969), code: config/classification/RSNA/convirt.yml, which is for 1 %; "
    "other methods and fractions have values from a grid (paper, Tables 9-13), which are not reproduced",
    split=dict(rule="benchx"),
    fraction_sampler=dict(by="stratified_rows", seed=42),
    transform=dict(
        input=dict(size=224, mean=0.4978, std=0.2449, resize="crop", rounding="down", brighten="down"),
        train=dict(RandomResizedCrop=dict(size=224), RandomHorizontalFlip=dict(p=0.5)),
    ),
    head=dict(type="linear", norm="layer", eps=1e-6, dropout=0.0, init="near_zero", two_outputs=True),
    frozen=dict(backbone=False, batch_norm=False),
    optimizer=dict(
        type="Adam",
        lr=5e-5,
        backbone_lr_scale=0.1,
        clip=1.0,
        schedule="cosine_wave",
        warmup=60,
        total=1200,
        amp=True,
    ),
    batch_size=64,
    stopping=dict(
        epochs=200,
        first=10,
        interval=5,
        patience=10,
        monitor="f1_class_1",
        tested="best",
        last_batch="kept",
    ),
    metrics=("f1_class_1", "accuracy", "auroc"),
    defects=(
        "multiclass_f1 is the F1 of class 1 alone (unifier/blocks/scorers/scores.py:65-69)",
        "the rate reaches zero after 1,200 steps, whatever the number of images, and then rises again "
        "(config, t_total; unifier/blocks/schedulers/WarmupCosineScheduler.py)",
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
        "one row per patient decides the label (preprocess_rsna.py), which is the same for all of its rows",
    ),
)
