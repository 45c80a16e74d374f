"""Fine-tuning on VinDr-CXR as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_vindr
"""

_base_ = ["./finetune_nih.py"]

protocol = dict(
    source="BenchX (arXiv 2410.21969); optimiser values and how image labels are made of readers' boxes: not "
    "determined; those of NIH, and findings seen by two readers, stand in",
    defects=(
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
    ),
)
