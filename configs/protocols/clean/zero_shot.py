"""Zero-shot classification on CheXpert 5x200, each class scored by its best prompt.

prior-bench eval zero_shot --backbone my.ckpt --data chexpert_5x200 --protocol clean/zero_shot
"""

protocol = dict(
    task="zero_shot",
    source="GLoRIA (ICCV 2021), section 3.4, standardised over the whole set",
    metrics=("accuracy", "f1", "precision", "recall", "kappa", "auroc"),
    options=dict(prompts="chexpert_5x200_gloria", prompts_per_class=5, pooling="max", normalise="whole_set"),
)
