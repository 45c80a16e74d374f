"""PRIOR on the sample benchmark, with ConVIRT's encoders, so that the methods are comparable.

prior-bench pretrain prior_sample
"""

_base_ = "convirt_sample.py"

method = dict(
    type="prior",
    image_encoder=dict(pool="attention"),
    prototypes=64,
    queries=8,
    decoder_layers=2,
    decoder_dropout=0.0,
    temperature=0.1,
    local_temperature=0.1,
    # the paper's weights of 10 outweigh the alignment in such a small model
    weights=dict(prototype=2.0, report=2.0),
)
schedule = dict(
    _delete_=True,
    stages=(
        dict(epochs=8, warmup_epochs=1),
        dict(epochs=2, warmup_epochs=0.3, lr_factor=0.5),
        dict(epochs=3, warmup_epochs=0.3, lr_factor=0.5),
    ),
)
# half of ConVIRT's rate aligns better; the decoders have only three epochs to learn
optimizer = dict(lr=5e-4, lr_scale=dict(image_decoder=24.0, sentence_decoder=8.0))
hooks = (
    # in so few steps, prototypes that start as noise would not come close to the sentences
    dict(type="prior_bench.prior.schedule.PrototypesFromSentences"),
)
find_unused_parameters = True
