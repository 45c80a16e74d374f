"""Zero-shot classification on MIMIC 5x200 as BenchX's released code scores it: docs/protocols/benchx.md.

prior-bench eval zero_shot --backbone resnet_50.ckpt --data mimic_5x200 --protocol benchx/zero_shot
"""

protocol = dict(
    task="zero_shot",
    source="BenchX (arXiv 2410.21969), code: unifier/blocks/zeroshot/zeroshot_model.py:72-135; batch size: "
    "not determined",
    split=dict(rule="benchx"),
    batch_size=64,
    metrics=("accuracy", "f1_best_on_test", "accuracy_best_on_test", "f1", "auroc"),
    options=dict(
        prompts="chexpert_5x200_benchx",
        prompts_per_class=5,
        pooling="max",
        normalise="per_batch",
        shuffled=True,
    ),
    defects=(
        "each class is standardised over a random batch of images: a score depends on its neighbours "
        "(zeroshot_model.py:72-135)",
        "thresholds of F1 and accuracy are picked on the test labels (same place)",
        "five prompts of each class are drawn at random",
    ),
)
