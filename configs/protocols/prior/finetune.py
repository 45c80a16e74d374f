"""A stand-in for PRIOR's fine-tuned classification, whose settings are not known: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/finetune
"""

_base_ = ["../clean/finetune.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; clean/finetune stands in",
)
