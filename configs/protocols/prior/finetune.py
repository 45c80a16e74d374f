"""A stand-in for PRIOR's fine-tuned classification, with unknown settings: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/finetune
"""

_base_ = ["../clean/finetune.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; this is clean/finetune",
)
