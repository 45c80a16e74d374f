"""MGCA on a few hundred to a few thousand image-report pairs of your own, on one GPU: see convirt_small.

prior-bench pretrain mgca_small
"""

_base_ = "convirt_small.py"

method = dict(
    type="mgca",
    text_encoder=dict(pool="cls"),
    embed_dim=128,
    hidden_dim=512,  # a quarter of the paper's
    prototypes=64,  # 500 in the paper, for 217,000 pairs; here there would be fewer pairs than prototypes
)
# the paper's one epoch has 1,500 updates
hooks = (dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=5),)
