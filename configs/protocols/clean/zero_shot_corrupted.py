"""The clean zero-shot classification on clean and on corrupted images: six corruptions with five severities.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert_5x200 --protocol clean/zero_shot_corrupted
"""

_base_ = ["./zero_shot.py"]

protocol = dict(
    metrics=("accuracy", "auroc", "accuracy_corrupted", "accuracy_drop", "auroc_corrupted"),
    options=dict(
        corruptions=("noise", "blur", "contrast", "jpeg", "exposure", "rotation"), severities=(1, 2, 3, 4, 5)
    ),
)
