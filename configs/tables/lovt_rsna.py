"""Localised tasks on RSNA with 1, 10 and 100 % of the labels (LoVT, arXiv 2112.02889); means of five runs.

prior-bench table lovt_rsna --only-published
prior-bench table lovt_rsna --with-published
"""

title = "RSNA with 1, 10 and 100 % of the labels, as LoVT evaluates"
suite = "*"

_evaluations = [
    ("YOLOv3, fine-tuned (mAP)", "detection", "map_40_75", "detection (fine-tune, YOLOv3)"),
    ("YOLOv3, frozen (mAP)", "detection", "map_40_75", "detection (frozen encoder, YOLOv3)"),
    ("Linear, frozen (Dice)", "segmentation", "dice_micro", "segmentation (frozen encoder, linear)"),
]
columns = [
    dict(
        group=_group,
        label=f"{_percent} %",
        task=_task,
        data="rsna_pneumonia",
        fraction=_percent / 100,
        metric=_metric,
        published=dict(
            source_paper="LoVT ECCV 2022 (arXiv 2112.02889)",
            source_table="repo table results_table_rsna",
            task=_printed,
            label_fraction=f"{_percent}%",
        ),
    )
    for _group, _task, _metric, _printed in _evaluations
    for _percent in (1, 10, 100)
]
