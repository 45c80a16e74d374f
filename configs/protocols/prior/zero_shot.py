"""Zero-shot classification on PRIOR's own list of CheXpert 5x200, as released: docs/protocols/prior.md.

prior-bench eval zero_shot --backbone prior.pt --data chexpert_5x200 --protocol prior/zero_shot
"""

protocol = dict(
    task="zero_shot",
    source="PRIOR (ICCV 2023), code: codes/prior/downstream/zero_classification_model.py, the only task",
    split=dict(rule="prior_list"),
    transform=dict(input=dict(size=224, mean=0.50627, std=0.28947, resize="squash")),
    metrics=("accuracy", "f1", "precision", "recall", "kappa"),
    options=dict(prompts="chexpert_5x200_prior", prompts_per_class=None, pooling="max", normalise="none"),
    defects=(
        "other statistics than in pre-training, 0.4755 and 0.3011 (chexpert_zls.py:49-52)",
        "findings besides the five are allowed in the list: 168 of 1,000 images are clean by GLoRIA's rule",
        "947 of the 1,000 images are in MGCA's CheXpert training split",
        "raw logit scale and a random code book at test time: the method's variant 'released' has both "
        "(zero_classification_model.py:121-131, spb.py:27-37)",
    ),
)
