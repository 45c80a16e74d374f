"""ConVIRT on a few hundred image-report pairs of your own, on two CPU cores and without any download.

prior-bench pretrain convirt_laptop

It reads pairs.csv in this folder; --data FILE.csv names another file (docs/own_pairs.md, which also says how
long it takes). Both encoders start at random and the tokenizer is trained on your reports, so it shows
whether the path works, and teaches little: for a result take convirt_small.
"""

_base_ = "convirt_small.py"

method = dict(
    image_encoder=dict(
        _delete_=True,
        model_name="resnet18",
        # half the width; residual blocks that do not start as identities learn faster
        model_args=dict(channels=(32, 64, 128, 256), zero_init_last=False),
        in_channels=1,
        input=dict(size=128, mean=0.5, std=0.25, resize="pad"),
    ),
    text_encoder=dict(
        _delete_=True,
        config=dict(
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=256,
        ),
        max_tokens=192,
        pool="mean",  # of a text encoder that starts at random, the maximum learns more slowly
    ),
    embed_dim=128,
)
vocab_size = 3000
optimizer = dict(lr=5e-4, lr_scale=dict(_delete_=True))  # nothing is pre-trained that a high rate could spoil
# 400 updates with 200 training pairs, 1,900 with 1,000
schedule = dict(epochs=60, warmup_epochs=3)
