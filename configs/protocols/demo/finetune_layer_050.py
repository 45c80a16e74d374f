"""The fine-tuning of the sample benchmark with layer normalisation and another rate, for the choice of both.

prior-bench eval classification --backbone m.ckpt --data sample:chexpert --protocol demo/finetune_layer_050
"""

_base_ = ["finetune.py"]

protocol = dict(head=dict(norm="layer"), optimizer=dict(backbone_lr_scale=0.5))
