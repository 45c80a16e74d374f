"""GLoRIA on a few hundred image-report pairs of your own, on two CPU cores: see convirt_laptop.

prior-bench pretrain gloria_laptop
"""

_base_ = "convirt_laptop.py"

method = dict(
    type="gloria",
    text_encoder=dict(last_layers=1),  # of a text encoder with two layers
    chunk=16,  # less memory, same result
)
