"""Segmentation with a frozen encoder and UperNet (BenchX, arXiv 2410.21969, Table 3).

prior-bench table benchx_segmentation --only-published
prior-bench table benchx_segmentation --with-published
"""

title = "Segmentation with a frozen encoder, as BenchX evaluates (mDice over background and foreground)"
suite = "*"

_data_sets = [
    ("Object-CXR", "object_cxr", "benchx/segmentation_object"),
    ("RSNA", "rsna_pneumonia", "benchx/segmentation_rsna"),
    ("SIIM", "siim_acr", ""),
    ("TBX11K", "tbx11k", ""),
]
columns = [
    dict(
        group="mDice",
        label=_dataset,
        task="segmentation",
        data=_data,
        protocol=_protocol,
        metric="mdice",
        published=dict(source_paper="BenchX (NeurIPS 2024 D&B)", source_table="Table 3", dataset=_dataset),
    )
    for _dataset, _data, _protocol in _data_sets
]
