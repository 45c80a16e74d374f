"""Public models in all task families, under this suite's own protocols.

prior-bench table released_models
"""

title = "Public models"
suite = "released_models"

_probes = [
    dict(
        group=f"{_name}, linear (AUROC)",
        label=f"{_percent} %",
        task="classification",
        data=_data,
        protocol="clean/linear_probe",
        fraction=_percent / 100,
        metric="auroc",
    )
    for _name, _data in (("CheXpert", "chexpert"), ("NIH", "nih_chestxray14"), ("RSNA", "rsna_pneumonia"))
    for _percent in (1, 10, 100)
]
_others = [
    ("zero-shot (AUROC)", "CheXpert", "zero_shot", "chexpert", "clean/zero_shot_pairs", "auroc"),
    ("zero-shot (AUROC)", "NIH", "zero_shot", "nih_chestxray14", "clean/zero_shot_pairs_nih", "auroc"),
    ("zero-shot (AUROC)", "RSNA", "zero_shot", "rsna_pneumonia", "clean/zero_shot_pairs_rsna", "auroc"),
    ("zero-shot", "5x200, accuracy", "zero_shot", "chexpert_5x200", "clean/zero_shot_softmax", "accuracy"),
    ("retrieval, MIMIC-CXR", "R@5", "retrieval", "mimic_cxr", "clean/retrieval", "recall_at_5"),
    ("grounding, MS-CXR", "CNR", "grounding", "ms_cxr@mimic_cxr", "clean/grounding_similarity", "cnr"),
    ("segmentation (Dice)", "SIIM", "segmentation", "siim_acr", "clean/segmentation_frozen", "dice_micro"),
    (
        "segmentation (Dice)",
        "RSNA",
        "segmentation",
        "rsna_pneumonia",
        "clean/segmentation_frozen",
        "dice_micro",
    ),
    ("detection, RSNA", "mAP 40–75", "detection", "rsna_pneumonia", "clean/detection_frozen", "map_40_75"),
]
columns = _probes + [
    dict(group=_group, label=_label, task=_task, data=_data, protocol=_protocol, metric=_metric)
    for _group, _label, _task, _data, _protocol, _metric in _others
]
