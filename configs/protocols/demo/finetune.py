"""The clean fine-tuning, short, for the synthetic sample benchmark on two CPU cores.

prior-bench eval classification --backbone my.ckpt --data sample:chexpert --protocol demo/finetune
"""

_base_ = ["../clean/finetune.py"]

protocol = dict(
    # all three chosen on the validation cohort (docs/sample_benchmark.md)
    options=dict(pool="mean"),  # torchvision's, as PRIOR's readme has it; the other methods pool so anyway
    head=dict(norm="batch"),
    optimizer=dict(lr=2e-3, backbone_lr_scale=0.5, warmup=10),
    batch_size=32,
    stopping=dict(_delete_=True, iterations=180, interval=30, patience=None, monitor="auroc", tested="best"),
)
