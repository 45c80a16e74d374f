"""Phrase grounding by the method's own attention, on a data set with phrases and regions.

prior-bench eval grounding --backbone my.ckpt --data ms_cxr@mimic_cxr --protocol clean/grounding
"""

protocol = dict(
    task="grounding",
    source="pixel AUROC, pointing game; contrast-to-noise ratio, mean IoU as in BioViL (arXiv 2204.09817)",
    metrics=("pixel_auroc", "phrase_gain", "pointing_game", "cnr", "cnr_absolute", "miou", "map_10_50"),
    options=dict(map="attention", prompts=None, region="finest"),
)
