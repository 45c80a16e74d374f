"""GLoRIA's rate and grid of patches on the validation cohort, with three seeds.

In ``sample_tuning``, which has one seed, GLoRIA's rows differed by less than its seeds do.

prior-bench run sample_tuning_gloria --jobs 2
"""

_base_ = "sample_tuning.py"

name = "sample_tuning_gloria"
title = "GLoRIA's choices on the validation cohort of the sample benchmark"
table = "sample_tuning_gloria"
seeds = [0, 1, 2]

_stages = {"4 x 4": -2, "8 x 8": -3}
backbones = [
    dict(
        name=f"GLoRIA, {rate:g}, {patches} patches",
        type="pretrain",
        config="gloria_sample",
        overrides={"optimizer.lr": rate, "method.image_encoder.local_stage": stage},
    )
    for patches, stage in _stages.items()
    for rate in (5e-4, 1e-3, 2e-3)
]
