"""GLoRIA on a few hundred to a few thousand image-report pairs of your own, on one GPU: see convirt_small.

prior-bench pretrain gloria_small
"""

_base_ = "convirt_small.py"

method = dict(
    type="gloria",
    # as in the paper, the last four layers are summed; images are not enlarged to 299 pixels, which leaves
    # 14 x 14 regions and takes half the time
    text_encoder=dict(last_layers=4, pool="mean"),
    embed_dim=768,
    chunk=16,  # less memory, same result
)
clip_grad = 0.25  # the released code's
