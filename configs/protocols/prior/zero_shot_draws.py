"""Zero-shot classification on PRIOR's five samplings of CheXpert 5x200, by seed: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/zero_shot_draws
"""

_base_ = ["./zero_shot.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): five samplings with the seeds 114514 to 114518 as its author states "
    "(QtacierP/PRIOR issue 10), drawn by the rule of the released list; the rest is that of prior/zero_shot",
    split=dict(rule="prior_draws", by_seed=True),
    defects=(
        "other statistics than in pre-training, 0.4755 and 0.3011 (chexpert_zls.py:49-52)",
        "findings besides the five are allowed by the rule",
        "raw logit scale and a random code book at test time: the method's variant 'released' has both "
        "(zero_classification_model.py:121-131, spb.py:27-37)",
    ),
)
