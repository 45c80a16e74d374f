"""MGCA on the sample benchmark, with ConVIRT's encoders and schedule, so that the methods are comparable.

prior-bench pretrain mgca_sample
"""

_base_ = "convirt_sample.py"

method = dict(
    type="mgca",
    text_encoder=dict(pool="mean"),  # [CLS] of a text encoder that was never pre-trained learns too slowly
    hidden_dim=256,
    prototypes=64,
)
hooks = (dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=1),)
