"""The clean linear probe on clean and on corrupted images: six corruptions with five severities.

prior-bench eval classification --backbone my.ckpt --data chexpert --protocol clean/linear_probe_corrupted
"""

_base_ = ["./linear_probe.py"]

protocol = dict(
    metrics=("auroc", "auroc_corrupted", "auroc_drop"),
    options=dict(
        corruptions=("noise", "blur", "contrast", "jpeg", "exposure", "rotation"), severities=(1, 2, 3, 4, 5)
    ),
)
