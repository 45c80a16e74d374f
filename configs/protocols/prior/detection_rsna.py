"""A stand-in for PRIOR's detection on RSNA, because its settings are unknown: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/detection_rsna
"""

_base_ = ["../lovt/detection_finetune_rsna.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): settings not determined, no code released; its readme says 'similar to LoVT' "
    "and names Lightning Flash 0.7.4; this is LoVT's fine-tuned YOLOv3",
    options=dict(confidence=0.005),
    defects=(),
)
