"""Effect of each difference between released code and paper, on the sample benchmark.

prior-bench run deviations_demo --jobs 2

The rows are PRIOR's paper variant with one switch on at a time, and the complete released variants of all
three methods. The two switches that scramble patches are turned on together, as in the released code.
"""

name = "deviations_demo"
title = "Differences between released code and paper, on the sample benchmark"
table = "deviations_demo"
seeds = [0]

_prior = dict(type="pretrain", config="prior_sample")
_gloria = dict(type="pretrain", config="gloria_sample")
_mgca = dict(type="pretrain", config="mgca_sample")
_alone = (
    "channel_dropout",
    "inverse_permutation",
    "padded_slots_in_l1",
    "causal_report_decoder",
    "noise_at_inference",
    "kl_target_gradient",
    "single_sentence_reports",
    "tenfold_global_in_stage3",
    "raw_logit_scale",
    "local_similarity",
    "sep_in_prompts",
)
backbones = [
    dict(name="PRIOR, paper", **_prior),
    dict(
        name="PRIOR: scrambled_patches, scrambled_decoder_input",
        overrides={"method.variant": dict(scrambled_patches=True, scrambled_decoder_input=True)},
        **_prior,
    ),
    *[
        dict(name=f"PRIOR: {switch}", overrides={"method.variant": {switch: True}}, **_prior)
        for switch in _alone
    ],
    dict(
        name="PRIOR: soft_prototypes off", overrides={"method.variant": dict(soft_prototypes=False)}, **_prior
    ),
    dict(name="PRIOR, released", overrides={"method.variant": "released"}, **_prior),
    dict(name="GLoRIA, paper", **_gloria),
    dict(name="GLoRIA, released", overrides={"method.variant": "released"}, **_gloria),
    dict(name="MGCA, paper", **_mgca),
    dict(name="MGCA, released", overrides={"method.variant": "released"}, **_mgca),
]

evaluations = [
    dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe"),
    dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval"),
]
