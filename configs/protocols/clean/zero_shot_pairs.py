"""Multi-label zero-shot classification as CheXzero decides: each finding against its absence.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert --protocol clean/zero_shot_pairs
"""

protocol = dict(
    task="zero_shot",
    source="CheXzero (Nature Biomedical Engineering 2022), code: zero_shot.py, run_softmax_eval; the "
    "similarities have the method's own scale",
    metrics=("auroc", "auprc", "f1", "precision", "recall", "accuracy"),
    options=dict(
        prompts="chexpert14_chexzero",
        prompts_per_class=None,
        pooling="mean",
        normalise="none",
        score="pair_softmax",
    ),
)
