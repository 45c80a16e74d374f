"""The clean fine-tuning at 64 pixels and for 120 steps, for small images on a laptop.

prior-bench eval classification --backbone my.ckpt --data pneumoniamnist.npz --protocol laptop/finetune
"""

_base_ = ["../clean/finetune.py"]

protocol = dict(
    transform=dict(input=dict(size=64)),
    optimizer=dict(lr=2e-3, backbone_lr_scale=0.5, warmup=10),
    batch_size=32,
    stopping=dict(_delete_=True, iterations=120, interval=40, patience=None, monitor="auroc", tested="best"),
)
