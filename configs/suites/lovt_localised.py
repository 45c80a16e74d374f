"""LoVT's tasks on SIIM-ACR and Object-CXR at paper scale, five runs each.

prior-bench run lovt_localised --dry-run
"""

_base_ = "lovt_rsna.py"

name = "lovt_localised"
title = "LoVT's tasks on SIIM-ACR and Object-CXR"
table = "lovt"

_object = dict(name="object_cxr (sides swapped)", type="object_cxr", root="object_cxr", boxes="swapped")
_masks = dict(name="object_cxr (polygons swapped)", type="object_cxr", root="object_cxr", masks="swapped")
evaluations = [
    dict(task="segmentation", data="siim_acr", protocol="lovt/segmentation_unet_finetune_siim"),
    dict(task="segmentation", data="siim_acr", protocol="lovt/segmentation_unet_frozen_siim"),
    dict(task="detection", data=_object, protocol="lovt/detection_finetune_object"),
    dict(task="detection", data=_object, protocol="lovt/detection_frozen_object"),
    dict(task="segmentation", data=_masks, protocol="lovt/segmentation_linear_object"),
]
