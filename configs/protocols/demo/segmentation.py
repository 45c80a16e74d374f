"""The clean frozen segmentation, small and short, for the synthetic sample benchmark on two CPU cores.

prior-bench eval segmentation --backbone my.ckpt --data sample:siim_acr --protocol demo/segmentation
"""

_base_ = ["../clean/segmentation_frozen.py"]

protocol = dict(
    # findings are small: with the full cross-entropy, the first epochs only learn to predict nothing
    head=dict(channels=(48, 32, 16), loss=dict(cross_entropy=0.1)),
    optimizer=dict(lr=5e-3, schedule="cosine"),
    batch_size=8,
    stopping=dict(epochs=8, patience=None),
)
