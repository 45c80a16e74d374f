"""The fine-tuning of the sample benchmark with another rate of the backbone, for the choice of that rate.

prior-bench eval classification --backbone m.ckpt --data sample:chexpert --protocol demo/finetune_backbone_050
"""

_base_ = ["finetune.py"]

protocol = dict(optimizer=dict(backbone_lr_scale=0.5))
