"""The clean frozen detection, small and short, for the synthetic sample benchmark on two CPU cores.

prior-bench eval detection --backbone my.ckpt --data sample:rsna_pneumonia --protocol demo/detection
"""

_base_ = ["../clean/detection_frozen.py"]

protocol = dict(
    head=dict(width=0.125),
    optimizer=dict(lr=2e-3, schedule="cosine"),
    batch_size=8,
    stopping=dict(epochs=10, patience=None),
)
