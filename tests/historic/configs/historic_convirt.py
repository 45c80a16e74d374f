"""ConVIRT as the historic stores have it: of the first edition of the sample benchmark."""

method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet18",
        # half the width, half the depth; residual blocks that do not start as identities learn faster
        model_args=dict(layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), zero_init_last=False),
        in_channels=1,
        input=dict(size=96, mean=0.5, std=0.25),
    ),
    text_encoder=dict(
        config=dict(
            hidden_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=256,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        ),
        max_tokens=96,
        pool="mean",  # the paper takes the maximum
    ),
    embed_dim=128,
)
vocab_size = 1000
data = dict(
    # the impression states the findings in few words, so it is the fastest section to learn from
    dataset=dict(
        type="mimic_cxr",
        name="mimic_cxr (synthetic)",
        root="sample:mimic_cxr",
        reports=dict(base="default", sections=("impression",)),
    ),
    text="shuffled_sentences",
    transform=dict(RandomAffine=dict(degrees=6, translate=(0.06, 0.06), scale=(0.92, 1.08))),
    cache="memory",
)
batch_size = 32
optimizer = dict(type="AdamW", lr=1e-3, weight_decay=0.01)
schedule = dict(epochs=10, warmup_epochs=1)
clip_grad = 1.0
