"""Localised tasks on four data sets (LoVT, arXiv 2112.02889); means of five runs.

prior-bench table lovt --only-published
prior-bench table lovt --with-published
"""

title = "Localised tasks on COVID Rural, SIIM, Object-CXR and NIH CXR8, as LoVT evaluates"
suite = "*"

_evaluations = [
    ("COVID Rural (Dice)", "covid_rural", "segmentation (fine-tune, U-Net)", "dice_micro"),
    ("COVID Rural (Dice)", "covid_rural", "segmentation (frozen encoder, U-Net)", "dice_micro"),
    ("COVID Rural (Dice)", "covid_rural", "segmentation (frozen encoder, linear)", "dice_micro"),
    ("SIIM (Dice)", "siim_acr", "segmentation (fine-tune, U-Net)", "dice_micro"),
    ("SIIM (Dice)", "siim_acr", "segmentation (frozen encoder, U-Net)", "dice_micro"),
    ("Object-CXR (FROC)", "object_cxr", "detection (fine-tune, YOLOv3)", "froc_lovt"),
    ("Object-CXR (FROC)", "object_cxr", "detection (frozen encoder, YOLOv3)", "froc_lovt"),
    ("Object-CXR (Dice)", "object_cxr", "segmentation (frozen encoder, linear)", "dice_micro"),
    ("NIH CXR8 (Dice)", "nih_cxr8_boxes", "segmentation (frozen encoder, linear)", ""),
]
columns = [
    dict(
        group=_group,
        label=_printed.partition("(")[2].rstrip(")").replace("frozen encoder", "frozen"),
        task=_printed.partition(" ")[0],
        data=_data,
        metric=_metric,
        published=dict(
            source_paper="LoVT ECCV 2022 (arXiv 2112.02889)",
            source_table="repo table results_table",
            data=_data,
            task=_printed,
        ),
    )
    for _group, _data, _printed, _metric in _evaluations
]
