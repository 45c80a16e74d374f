"""PRIOR on a few hundred to a few thousand image-report pairs of your own, on one GPU: see convirt_small.

prior-bench pretrain prior_small

Its stages have their own epochs: --set schedule.stages.0.epochs=240, and so on.
"""

_base_ = "convirt_small.py"

method = dict(
    type="prior",
    image_encoder=dict(pool="attention"),
    text_encoder=dict(pool="mean"),
    embed_dim=256,
    # 512 in the paper. There must be many more sentences than prototypes: 200 reports have about 800. With
    # fewer, take a tenth of the sentences that data check counts.
    prototypes=64,
    queries=8,  # most reports of one's own are shorter than the paper's 16 sentences
    decoder_layers=2,  # eight in the paper would have more parameters than both encoders
    temperature=0.07,  # 0.01 in the paper is too sharp for a batch of 32
    local_temperature=0.07,
    # the paper's weights of 10 outweigh the alignment where there are few pairs, and draw prototypes together
    weights=dict(prototype=2.0, report=0.5, query=0.1, report_global=0.1),
)
# the local text loss compares the sentences of a report, so it is fed whole
data = dict(text="shuffled_sentences")
schedule = dict(
    _delete_=True,
    stages=(
        dict(epochs=60, warmup_epochs=5),
        dict(epochs=20, warmup_epochs=2, lr_factor=0.5),
        dict(epochs=40, warmup_epochs=2, lr_factor=0.5),
    ),
)
# the decoders start at random and have the last stage only
optimizer = dict(lr_scale=dict(image_decoder=10.0, sentence_decoder=5.0))
# in so few steps, prototypes that start as noise would not come close to the sentences
hooks = (dict(type="prior_bench.prior.schedule.PrototypesFromSentences"),)
find_unused_parameters = True
