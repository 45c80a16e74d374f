"""Zero-shot classification on four data sets (G2D, arXiv 2312.01522, Table 2b).

prior-bench table g2d_zero_shot --only-published
prior-bench table g2d_zero_shot --with-published
"""

title = "Zero-shot classification, as G2D evaluates (thresholds of F1 and accuracy chosen on the test labels)"
suite = "*"

_variants = {"AUC": "auroc", "F1": "f1_best_on_test", "ACC": "accuracy_best_on_test"}
_data_sets = [
    ("RSNA", "rsna_pneumonia", ("AUC", "F1", "ACC")),
    ("SIIM", "siim_acr", ("AUC", "F1", "ACC")),
    ("NIH CXR14", "nih_chestxray14", ("AUC", "F1", "ACC")),
    ("CheXpert (test 500)", "chexpert_test_500", ("AUC", "F1")),
]
columns = [
    dict(
        group=_dataset,
        label=_metric,
        task="zero_shot",
        data=_data,
        metric=_variants[_metric],
        published=dict(
            source_paper="G2D arXiv 2312.01522", source_table="Table 2b", dataset=_dataset, metric=_metric
        ),
    )
    for _dataset, _data, _metrics in _data_sets
    for _metric in _metrics
]
