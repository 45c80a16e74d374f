"""GLoRIA's tasks, as its released code runs them: docs/protocols/gloria.md.

prior-bench table gloria_tasks --trivial
"""

title = "GLoRIA's tasks"
suite = "gloria_tasks"

_with_fractions = [
    ("CheXpert, linear (AUROC)", "classification", "chexpert", "gloria/linear_chexpert", "auroc"),
    ("RSNA, linear (AUROC)", "classification", "rsna_pneumonia", "gloria/linear_rsna", "auroc"),
    ("SIIM (Dice)", "segmentation", "siim_acr", "gloria/segmentation_siim", "dice_per_image_empty1"),
    ("SIIM (Dice, positives)", "segmentation", "siim_acr", "gloria/segmentation_siim", "dice_positives"),
]
columns = [
    dict(
        group=_group,
        label=f"{_percent} %",
        task=_task,
        data=_data,
        protocol=_protocol,
        fraction=_percent / 100,
        metric=_metric,
    )
    for _group, _task, _data, _protocol, _metric in _with_fractions
    for _percent in (1, 10, 100)
] + [
    dict(
        group="CheXpert 5x200, zero-shot",
        label=_label,
        task="zero_shot",
        data="chexpert_5x200",
        protocol="gloria/zero_shot",
        metric=_metric,
    )
    for _label, _metric in (("accuracy", "accuracy"), ("F1", "f1"))
]
