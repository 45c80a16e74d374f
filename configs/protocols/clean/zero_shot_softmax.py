"""Zero-shot classification as CLIP decides: softmax over classes that exclude each other.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert_5x200 --protocol clean/zero_shot_softmax
"""

protocol = dict(
    task="zero_shot",
    source="CLIP (ICML 2021), section 3.1.2; the similarities have the method's own scale",
    metrics=("accuracy", "f1", "precision", "recall", "kappa", "auroc"),
    options=dict(
        prompts="chexpert_5x200_classes",
        prompts_per_class=None,
        pooling="mean",
        normalise="none",
        score="softmax",
    ),
)
