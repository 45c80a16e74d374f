"""MGCA as the historic stores have it: of the first edition of the sample benchmark."""

_base_ = "historic_convirt.py"

method = dict(
    type="mgca",
    text_encoder=dict(pool="mean"),  # [CLS] of a text encoder that was never pre-trained learns too slowly
    hidden_dim=256,
    prototypes=64,
)
hooks = (dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=1),)
