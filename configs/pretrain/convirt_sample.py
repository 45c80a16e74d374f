"""ConVIRT on the sample benchmark, small enough for two CPU cores.

prior-bench pretrain convirt_sample
"""

method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet18",
        # half the width; residual blocks that do not start as identities get off the ground sooner
        model_args=dict(channels=(32, 64, 128, 256), zero_init_last=False),
        in_channels=1,
        input=dict(size=96, mean=0.5, std=0.25),
    ),
    text_encoder=dict(
        config=dict(hidden_size=128, num_hidden_layers=2, num_attention_heads=2, intermediate_size=256),
        max_tokens=96,
        pool="mean",  # the paper takes the maximum
    ),
    embed_dim=128,
)
vocab_size = 1000
data = dict(
    dataset="sample:mimic_cxr",
    text="shuffled_sentences",
    transform=dict(RandomAffine=dict(degrees=6, translate=(0.06, 0.06), scale=(0.92, 1.08))),
    cache="memory",
)
batch_size = 32
optimizer = dict(type="AdamW", lr=2e-3, weight_decay=0.01)
schedule = dict(epochs=13, warmup_epochs=1)
clip_grad = 1.0
