"""PRIOR's five task families; means over folds, draws and seeds: docs/protocols/prior.md.

prior-bench table prior_tasks --trivial
"""

title = (
    "PRIOR's five task families (folds and seeds as its author states; settings known for zero-shot alone)"
)
suite = "prior_tasks"
notes = [
    "Means over seeds. A seed is one of five folds of the positive images (SIIM, detection on RSNA), of five "
    "splits 6:2:2 (classification) or of five samplings of 5x200; the deviation includes their spread.",
]

_probes = [
    dict(
        group=f"{_name}, linear (AUROC)",
        label=f"{_percent} %",
        task="classification",
        data=_data,
        protocol="prior/linear",
        fraction=_percent / 100,
        metric="auroc",
    )
    for _name, _data in (("CheXpert", "chexpert"), ("RSNA", "rsna_pneumonia"))
    for _percent in (1, 10, 100)
]
_others = [
    ("CheXpert, fine-tuned", "AUROC", "classification", "chexpert", "prior/finetune", "auroc"),
    ("CheXpert 5x200, list", "accuracy", "zero_shot", "chexpert_5x200", "prior/zero_shot", "accuracy"),
    ("CheXpert 5x200, list", "F1", "zero_shot", "chexpert_5x200", "prior/zero_shot", "f1"),
    ("CheXpert 5x200, draws", "accuracy", "zero_shot", "chexpert_5x200", "prior/zero_shot_draws", "accuracy"),
    ("CheXpert 5x200, draws", "F1", "zero_shot", "chexpert_5x200", "prior/zero_shot_draws", "f1"),
    ("MIMIC-CXR, retrieval", "R@5", "retrieval", "mimic_cxr", "prior/retrieval", "recall_at_5"),
    ("MIMIC-CXR, retrieval", "P@5", "retrieval", "mimic_cxr", "prior/retrieval", "precision_at_5"),
    ("SIIM, positives", "Dice", "segmentation", "siim_acr", "prior/segmentation_siim", "dice_micro"),
    ("RSNA", "Dice", "segmentation", "rsna_pneumonia", "prior/segmentation_rsna", "dice_micro"),
    ("RSNA, positives", "mAP 40–75", "detection", "rsna_pneumonia", "prior/detection_rsna", "map_40_75"),
]
columns = _probes + [
    dict(group=_group, label=_label, task=_task, data=_data, protocol=_protocol, metric=_metric)
    for _group, _label, _task, _data, _protocol, _metric in _others
]
