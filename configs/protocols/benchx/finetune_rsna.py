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
        input=dict(size=224, mean=0.4978, std=0.2449, resize="crop", rounding="down"),
        train=dict(RandomResizedCrop=dict(size=224), RandomHorizontalFlip=dict(p=0.5)),
    ),
    head=dict(type="linear", norm="layer", dropout=0.0, init="truncated_normal"),
    frozen=dict(backbone=False, batch_norm=False),
    optimizer=dict(
        type="Adam",
        lr=5e-5,
        backbone_lr_scale=0.1,
        clip=1.0,
        schedule="cosine",
        warmup=60,
        total=1200,
        amp=True,
    ),
    batch_size=64,
    # BenchX validates every fifth epoch and stops after ten validations without progress
    stopping=dict(epochs=200, patience=50, monitor="f1_class_1", tested="best"),
    metrics=("f1_class_1", "accuracy", "auroc"),
    defects=(
        "multiclass_f1 is the F1 of class 1 alone (unifier/blocks/scorers/scores.py:65-69)",
        "the rate ends at zero after 1,200 steps, whatever the number of images (config, t_total)",
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
        "one row per patient decides the label (preprocess_rsna.py), which is the same for all of its rows",
    ),
)
