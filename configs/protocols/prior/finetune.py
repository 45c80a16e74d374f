"""PRIOR's fine-tuned classification: its split 6:2:2 by seed, and our own settings: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/finetune
"""

_base_ = ["../clean/finetune.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): 6:2:2 and five seeds as its author states (QtacierP/PRIOR issue 12); the "
    "lists and other settings not determined, no code released; they are those of clean/finetune, "
    "but that the readme names torchvision's classification model, which pools by the mean",
    split=dict(rule="prior_classification", by_seed=True),
    options=dict(pool="mean"),
)
