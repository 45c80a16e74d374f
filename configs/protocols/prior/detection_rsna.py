"""PRIOR's detection on RSNA: its five folds of positives, LoVT's settings: docs/protocols/prior.md.

prior-bench run prior_tasks --only protocol=prior/detection_rsna
"""

_base_ = ["../lovt/detection_finetune_rsna.py"]

protocol = dict(
    source="PRIOR (ICCV 2023): 6,012 positives in five folds as its author states (QtacierP/PRIOR issue 12); "
    "the lists and all other settings not determined, no code released; its readme says 'similar to LoVT' "
    "and names Lightning Flash 0.7.4; this is LoVT's fine-tuned YOLOv3",
    split=dict(rule="prior", by_seed=True),
    fraction_sampler=dict(_delete_=True, by="first_rounded"),  # validates on the whole fold, unlike LoVT
    stopping=dict(monitor="map_40_75"),
    metrics=("map_40_75", "ap_50", "map_mgca_compat", "froc"),
    options=dict(confidence=0.005, max_boxes=100),
    defects=("only images with pneumonia are used, so that false alarms on other images do not count",),
)
