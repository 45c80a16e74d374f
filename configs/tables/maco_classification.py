"""Classification with 1, 10 and 100 % of the labels, as MaCo (Nat. Commun. 2024) lists it in Table 1.

MaCo collects results of linear probes and of fine-tuning in one table, so its numbers are not comparable.

prior-bench table maco_classification --only-published
"""

title = "Classification as listed by MaCo (linear probes and fine-tuning mixed)"
suite = "*"

_data_sets = [("CheXpert", "chexpert"), ("NIH CXR14", "nih_chestxray14"), ("RSNA", "rsna_pneumonia")]
columns = [
    dict(
        group=f"{_dataset} (AUC)",
        label=f"{_percent} %",
        task="classification",
        data=_data,
        fraction=_percent / 100,
        metric="auroc",
        published=dict(
            source_paper="MaCo, Nat. Commun. 2024 (s41467-024-51749-0)",
            dataset=_dataset,
            label_fraction=f"{_percent}%",
        ),
    )
    for _dataset, _data in _data_sets
    for _percent in (1, 10, 100)
]
