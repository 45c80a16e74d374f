"""A stand-in for PRIOR's retrieval, whose pool and K are not known: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/retrieval
"""

_base_ = ["../clean/retrieval.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; clean/retrieval stands in",
)
