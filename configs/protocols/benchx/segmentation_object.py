"""Segmentation on Object-CXR with UperNet as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_segmentation --only protocol=benchx/segmentation_object
"""

_base_ = ["./segmentation_rsna.py"]

protocol = dict(
    split=dict(rule="official"),
    transform=dict(input=dict(resize="squash")),
    optimizer=dict(lr=1e-3),
    defects=(
        "mDice averages background and foreground: predicting nothing anywhere scores nearly 50",
        "images are flipped, although left and right are not alike",
    ),
)
