"""PRIOR on the sample benchmark, with ConVIRT's encoders and as many updates, so that methods are comparable.

prior-bench pretrain prior_sample
"""

_base_ = "convirt_sample.py"

method = dict(
    type="prior",
    image_encoder=dict(pool="attention"),
    prototypes=256,  # reports are made of about 2,300 different sentences
    queries=10,  # the longest report has ten sentences
    decoder_layers=2,
    decoder_dropout=0.0,
    image_blocks=4,  # 16 pixels per patch
    temperature=0.1,
    local_temperature=0.1,
    # Chosen on the validation cohort (docs/sample_benchmark.md). The paper's weights of 10 outweigh the
    # alignment in such a small model, and a heavy report branch draws the prototypes together.
    weights=dict(prototype=2.0, report=0.5, query=0.1, report_global=0.1),
)
schedule = dict(
    _delete_=True,
    # twelve epochs and one cosine over all of them, as the other methods have
    stages=(
        dict(epochs=6, warmup_epochs=1, final_factor=0.5),
        dict(epochs=2, warmup_epochs=0.1, lr_factor=0.5, final_factor=0.5),
        dict(epochs=4, warmup_epochs=0.1, lr_factor=0.25),
    ),
)
# the decoders have only four epochs to learn
optimizer = dict(lr_scale=dict(image_decoder=12.0, sentence_decoder=4.0))
hooks = (
    # in so few steps, prototypes that start as noise would not come close to the sentences
    dict(type="prior_bench.prior.schedule.PrototypesFromSentences"),
)
find_unused_parameters = True
