"""Linear probes with 1, 10 and 100 % of the labels, as in MGCA; printed in G2D (arXiv 2312.01522), Table 4.

prior-bench table mgca_linear --only-published
prior-bench table mgca_linear --with-published
"""

title = "Linear probe with 1, 10 and 100 % of the labels"
suite = "*"

_evaluations = [
    ("CheXpert", "AUC", "chexpert", "mgca/linear_chexpert", "auroc"),
    ("RSNA", "AUC", "rsna_pneumonia", "mgca/linear_rsna", "auroc"),
    ("COVIDx", "ACC", "covidx", "mgca/linear_covidx", "accuracy"),
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
            source_paper="G2D arXiv 2312.01522",
            source_table="Table 4",
            dataset=_dataset,
            metric=_metric,
            label_fraction=f"{_percent}%",
        ),
    )
    for _dataset, _metric, _data, _protocol, _ours in _evaluations
    for _percent in (1, 10, 100)
]
