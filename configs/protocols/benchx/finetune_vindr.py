"""Fine-tuning on VinDr-CXR as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_vindr
"""

_base_ = ["./finetune_nih.py"]

protocol = dict(
    source="BenchX (arXiv 2410.21969); optimiser values, and how image labels are made from the readers' "
    "boxes: not determined; the values of NIH, and findings that two readers saw, are used",
    defects=(
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
    ),
)
