"""Detection with a frozen encoder, as in MGCA's table; printed in G2D (arXiv 2312.01522), Table 1.

The rows Random, ImageNet and ConVIRT repeat LoVT's numbers, which come from another split and another mAP.

prior-bench table mgca_detection --only-published
prior-bench table mgca_detection --with-published
"""

title = "Detection with a frozen encoder (mAP)"
suite = "*"

columns = [
    dict(
        group=f"{_dataset} (mAP)",
        label=f"{_percent} %",
        task="detection",
        data=_data,
        protocol=f"mgca/detection_{_data.partition('_')[0]}{'_1' if _percent == 1 else ''}",
        fraction=_percent / 100,
        metric="map_mgca_compat",
        published=dict(
            source_paper="G2D arXiv 2312.01522",
            source_table="Table 1",
            family="detection",
            dataset=_dataset,
            label_fraction=f"{_percent}%",
        ),
    )
    for _dataset, _data in (("RSNA", "rsna_pneumonia"), ("Object-CXR", "object_cxr"))
    for _percent in (1, 10, 100)
]
