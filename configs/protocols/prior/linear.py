"""A stand-in for PRIOR's linear classification, because its settings are unknown: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/linear
"""

_base_ = ["../clean/linear_probe.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; this is clean/linear_probe",
)
