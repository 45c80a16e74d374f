"""Zero-shot classification as SigLIP decides: each finding by the sigmoid of its own score, no absence.

The similarity of the method must be its logit; otherwise set options.scale and options.bias.
prior-bench eval zero_shot --backbone my.ckpt --data chexpert --protocol clean/zero_shot_sigmoid
"""

_base_ = ["./zero_shot_ensemble.py"]

protocol = dict(
    source="SigLIP (ICCV 2023), section 3.2: sigmoid of the scaled and shifted cosine",
    options=dict(pooling="mean", score="sigmoid"),
)
