"""Localised tasks on RSNA with 1, 10 and 100 % of the labels (LoVT, arXiv 2112.02889); averages of five runs.

prior-bench table lovt_rsna --only-published
prior-bench table lovt_rsna --with-published
"""

title = "RSNA with 1, 10 and 100 % of the labels, as LoVT evaluates"
suite = "*"

_evaluations = [
    ("YOLOv3, fine-tuned (mAP)", "detection_finetune", "map_lovt", "detection (fine-tune, YOLOv3)"),
    ("YOLOv3, frozen (mAP)", "detection_frozen", "map_lovt", "detection (frozen encoder, YOLOv3)"),
    ("Linear, frozen (Dice)", "segmentation_linear", "dice_micro", "segmentation (frozen encoder, linear)"),
]
columns = [
    dict(
        group=_group,
        label=f"{_percent} %",
        task=_name.partition("_")[0],
        data="rsna_pneumonia",
        protocol=f"lovt/{_name}_rsna{'' if _percent == 100 else f'_{_percent}'}",
        fraction=_percent / 100,
        metric=_metric,
        published=dict(
            source_paper="LoVT ECCV 2022 (arXiv 2112.02889)",
            source_table="repo table results_table_rsna",
            task=_printed,
            label_fraction=f"{_percent}%",
        ),
    )
    for _group, _name, _metric, _printed in _evaluations
    for _percent in (1, 10, 100)
]
