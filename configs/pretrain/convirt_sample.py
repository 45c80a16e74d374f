"""ConVIRT on the synthetic sample benchmark, small enough for two CPU cores.

The other methods take encoders, data, updates and augmentation from here. ``prior-bench run sample_tuning``
compares learning rates on the validation cohort.

prior-bench pretrain convirt_sample
"""

method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet18",
        # half the width, half the depth; residual blocks that do not start as identities learn faster
        model_args=dict(layers=(1, 1, 1, 1), channels=(32, 64, 128, 256), zero_init_last=False),
        in_channels=1,
        local_stage=-2,  # 4 x 4 patches; the last stage has 2 x 2
        input=dict(size=64, mean=0.5, std=0.25),
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
    # whole reports, as retrieval tests them, and so that no text has a single sentence
    dataset=dict(
        type="mimic_cxr",
        name="mimic_cxr (synthetic)",
        root="sample:mimic_cxr",
        reports=dict(base="default", sections=("findings", "impression")),
    ),
    text="shuffled_sentences",
    transform=dict(RandomAffine=dict(degrees=6, translate=(0.06, 0.06), scale=(0.92, 1.08))),
    cache="memory",
)
batch_size = 32
optimizer = dict(type="AdamW", lr=1e-3, weight_decay=0.01)
schedule = dict(epochs=12, warmup_epochs=1)
clip_grad = 1.0
