"""Fine-tuning on VinDr-CXR as BenchX runs it: docs/protocols/benchx.md.

prior-bench run benchx_classification --only protocol=benchx/finetune_vindr
"""

_base_ = ["./finetune_nih.py"]

protocol = dict(
    source="BenchX (arXiv 2410.21969), code: configs/classification/VinDr/gloria.yml, which is for 1 % and "
    "has the values of NIH; preprocess/preprocess_vindr.py",
    defects=(
        "the rate reaches zero after 3,000 steps, whatever the number of images, and then rises again "
        "(config, t_total; unifier/blocks/schedulers/WarmupCosineScheduler.py)",
        'a finding is positive if any of three readers drew a box; name the data dict(type="vindr_cxr", '
        "agree=1, labels=[...]) as the suite does (preprocess_vindr.py: split_dataset; VinDr_Dataset)",
        "images are flipped, although left and right are not alike (unifier/datasets/transforms.py:47-68)",
    ),
)
