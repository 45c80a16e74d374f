"""Fine-tuning with 1, 10 and 100 % of the labels (BenchX, arXiv 2410.21969, Tables 1 and 2).

prior-bench table benchx_classification --only-published
prior-bench table benchx_classification --with-published
"""

title = "Fine-tuning with 1, 10 and 100 % of the labels, as BenchX evaluates"
suite = "*"

# BenchX takes 14 findings of VinDr-CXR, and calls an image positive if one of its readers drew a box
_vindr = dict(
    name="vindr_cxr (any reader)",
    type="vindr_cxr",
    root="vindr_cxr",
    agree=1,
    labels=[
        "Aortic enlargement",
        "Atelectasis",
        "Calcification",
        "Cardiomegaly",
        "Consolidation",
        "ILD",
        "Infiltration",
        "Lung Opacity",
        "Nodule/Mass",
        "Other lesion",
        "Pleural effusion",
        "Pleural thickening",
        "Pneumothorax",
        "Pulmonary fibrosis",
    ],
)
_evaluations = [
    ("Table 1", "NIH CXR14", "AUROC", "nih_chestxray14", "benchx/finetune_nih", "auroc"),
    ("Table 1", "VinDr-CXR", "AUROC", _vindr, "benchx/finetune_vindr", "auroc"),
    ("Table 2", "COVIDx CXR-4", "F1", "covidx", "benchx/finetune_covidx", "f1_class_1"),
    ("Table 2", "SIIM", "F1", "siim_acr", "", "f1_class_1"),
    ("Table 2", "RSNA", "F1", "rsna_pneumonia", "benchx/finetune_rsna", "f1_class_1"),
]
columns = [
    dict(
        group=f"{_dataset} ({_metric})",
        label=f"{_percent} %",
        task="classification",
        data=_data,
        protocol=_protocol,
        fraction=_percent / 100,
        metric=_ours,
        published=dict(
            source_paper="BenchX (NeurIPS 2024 D&B)",
            source_table=_table,
            dataset=_dataset,
            label_fraction=f"{_percent}%",
        ),
    )
    for _table, _dataset, _metric, _data, _protocol, _ours in _evaluations
    for _percent in (1, 10, 100)
]
