"""A stand-in for PRIOR's retrieval, because its pool and K are unknown: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/retrieval
"""

_base_ = ["../clean/retrieval.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; this is clean/retrieval",
)
