"""PRIOR on a few hundred image-report pairs of your own, on two CPU cores: see convirt_laptop.

prior-bench pretrain prior_laptop

Its stages have their own epochs: --set schedule.stages.0.epochs=80, and so on.
"""

_base_ = "convirt_laptop.py"

method = dict(
    type="prior",
    # the last stage has 4 x 4 patches, the one before 8 x 8
    image_encoder=dict(pool="attention", local_stage=-2),
    image_blocks=4,
    prototypes=64,
    queries=8,
    decoder_layers=2,
    temperature=0.1,
    local_temperature=0.1,
    weights=dict(prototype=2.0, report=0.5, query=0.1, report_global=0.1),
)
data = dict(text="shuffled_sentences")
schedule = dict(
    _delete_=True,
    stages=(
        dict(epochs=40, warmup_epochs=3),
        dict(epochs=10, warmup_epochs=1, lr_factor=0.5),
        dict(epochs=20, warmup_epochs=1, lr_factor=0.5),
    ),
)
optimizer = dict(lr_scale=dict(image_decoder=10.0, sentence_decoder=5.0))
hooks = (dict(type="prior_bench.prior.schedule.PrototypesFromSentences"),)
find_unused_parameters = True
