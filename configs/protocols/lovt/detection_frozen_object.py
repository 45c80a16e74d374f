"""LoVT's detection on Object-CXR with a frozen encoder: docs/protocols/lovt.md.

prior-bench run lovt_localised --only protocol=lovt/detection_frozen_object
"""

_base_ = ["./detection_frozen_rsna.py"]

protocol = dict(
    fraction_sampler=dict(_delete_=True, by="first_rounded"),
    transform=dict(input=dict(mean=0.5053, std=0.2899, equalize="jpeg")),
    stopping=dict(epochs=100, monitor="froc_lovt"),
    metrics=("froc_lovt", "froc", "map_40_75", "ap_50"),
    defects=(
        "width and height of boxes are exchanged: object_cxr_dataset.py:134; name the data "
        'dict(type="object_cxr", boxes="swapped")',
        "a false-positive budget that is never used up repeats the last recorded sensitivity instead of the "
        "final one (src/metrics/detection_metrics.py:81-155)",
        "one prediction may hit several boxes (same place)",
        "boxes under a confidence of 0.2 are dropped, which cuts the curve",
    ),
)
