"""MGCA on a few hundred image-report pairs of your own, on two CPU cores: see convirt_laptop.

prior-bench pretrain mgca_laptop
"""

_base_ = "convirt_laptop.py"

method = dict(
    type="mgca",
    text_encoder=dict(pool="mean"),  # [CLS] of a text encoder that starts at random learns too slowly
    hidden_dim=256,
    prototypes=64,
)
hooks = (dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=5),)
