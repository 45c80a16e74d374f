"""The fine-tuning of the sample benchmark with layer normalisation and own pooling, for the choice of these.

prior-bench eval classification --backbone m.ckpt --data sample:chexpert --protocol demo/finetune_layer_050
"""

_base_ = ["finetune.py"]

protocol = dict(
    head=dict(norm="layer"),
    optimizer=dict(backbone_lr_scale=0.5),
    options=dict(_delete_=True, threshold="validation_f1"),  # pooling is the backbone's own
)
