"""Localised tasks on four data sets (LoVT, arXiv 2112.02889); averages of five runs.

prior-bench table lovt --only-published
prior-bench table lovt --with-published
"""

title = "Localised tasks on COVID Rural, SIIM, Object-CXR and NIH CXR8, as LoVT evaluates"
suite = "*"

_swapped = dict(name="object_cxr (sides swapped)", type="object_cxr", root="object_cxr", boxes="swapped")
_masks = dict(name="object_cxr (polygons swapped)", type="object_cxr", root="object_cxr", masks="swapped")
_covid, _siim, _objects = ("COVID Rural (Dice)", "covid_rural"), ("SIIM (Dice)", "siim_acr"), "Object-CXR"
_fine, _frozen, _linear = (
    "segmentation (fine-tune, U-Net)",
    "segmentation (frozen encoder, U-Net)",
    "segmentation (frozen encoder, linear)",
)
# columns that our runs cannot fill have no protocol: docs/protocols/lovt.md
_evaluations = [
    (*_covid, "", _fine, "dice_micro"),
    (*_covid, "", _frozen, "dice_micro"),
    (*_covid, "", _linear, "dice_micro"),
    (*_siim, "lovt/segmentation_unet_finetune_siim", _fine, "dice_micro"),
    (*_siim, "lovt/segmentation_unet_frozen_siim", _frozen, "dice_micro"),
    (
        f"{_objects} (FROC)",
        _swapped,
        "lovt/detection_finetune_object",
        "detection (fine-tune, YOLOv3)",
        "froc_lovt",
    ),
    (
        f"{_objects} (FROC)",
        _swapped,
        "lovt/detection_frozen_object",
        "detection (frozen encoder, YOLOv3)",
        "froc_lovt",
    ),
    (f"{_objects} (Dice)", _masks, "lovt/segmentation_linear_object", _linear, "dice_micro"),
    ("NIH CXR8 (Dice)", "nih_cxr8_boxes", "", _linear, ""),
]
columns = [
    dict(
        group=_group,
        label=_printed.partition("(")[2].rstrip(")").replace("frozen encoder", "frozen"),
        task=_printed.partition(" ")[0],
        data=_data,
        protocol=_protocol,
        metric=_metric,
        published=dict(
            source_paper="LoVT ECCV 2022 (arXiv 2112.02889)",
            source_table="repo table results_table",
            data=_data["type"] if isinstance(_data, dict) else _data,
            task=_printed,
        ),
    )
    for _group, _data, _protocol, _printed, _metric in _evaluations
]
