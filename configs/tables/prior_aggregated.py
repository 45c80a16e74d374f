"""Numbers that an aggregator lists for PRIOR, without table or label fraction.

PRIOR's own tables could not be read.

prior-bench table prior_aggregated --only-published
"""

title = "PRIOR as listed by an aggregator (table, split and label fraction unknown)"
suite = "prior_tasks"

_source = "PRIOR ICCV 2023 as listed by an aggregator (fraction and table not stated)"
_listed = [
    # the aggregator's task, data set and metric; then ours
    ("classification", "CheXpert (test)", "AUC", "classification", "chexpert", "auroc"),
    ("classification", "RSNA (test)", "AUC", "classification", "rsna_pneumonia", "auroc"),
    ("classification", "SIIM", "AUC", "classification", "siim_acr", "auroc"),
    ("classification", "SIIM-ACR (test)", "AUROC", "classification", "siim_acr", "auroc"),
    ("classification", "COVIDx", "ACC", "classification", "covidx", "accuracy"),
    ("classification (linear)", "COVIDx", "ACC", "classification", "covidx", "accuracy"),
    ("segmentation", "RSNA Pneumonia", "Dice", "segmentation", "rsna_pneumonia", "dice_micro"),
    ("segmentation", "SIIM Pneumothorax", "Dice", "segmentation", "siim_acr", "dice_micro"),
    ("detection", "RSNA", "mAP", "detection", "rsna_pneumonia", "map_40_75"),
    ("detection", "Object-CXR", "mAP", "detection", "object_cxr", "map_40_75"),
]
columns = [
    dict(
        group=_theirs.capitalize(),
        label=f"{_dataset}, {_metric}",
        task=_task,
        data=_data,
        metric=_ours,
        published=dict(source_paper=_source, task=_theirs, dataset=_dataset, metric=_metric),
    )
    for _theirs, _dataset, _metric, _task, _data, _ours in _listed
]
