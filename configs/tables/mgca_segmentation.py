"""Segmentation with a frozen encoder, as in MGCA's table; printed in G2D (arXiv 2312.01522), Table 1.

prior-bench table mgca_segmentation --only-published
prior-bench table mgca_segmentation --with-published
"""

title = "Segmentation with a frozen encoder (Dice)"
suite = "*"

columns = [
    dict(
        group=f"{_dataset} (Dice)",
        label=f"{_percent} %",
        task="segmentation",
        data=_data,
        # of SIIM-ACR, MGCA draws 10 % with another seed than the rest
        protocol=f"mgca/segmentation_{_dataset.lower()}" + "_10" * ((_dataset, _percent) == ("SIIM", 10)),
        fraction=_percent / 100,
        metric="dice_per_image_empty1",
        published=dict(
            source_paper="G2D arXiv 2312.01522",
            source_table="Table 1",
            family="segmentation",
            dataset=_dataset,
            label_fraction=f"{_percent}%",
        ),
    )
    for _dataset, _data in (("SIIM", "siim_acr"), ("RSNA", "rsna_pneumonia"))
    for _percent in (1, 10, 100)
]
