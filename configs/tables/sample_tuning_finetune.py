"""Normalisation, rate of the backbone and pooling of fine-tuning, compared on the validation cohort.

prior-bench table sample_tuning_finetune
"""

title = "Choices of fine-tuning on the validation cohort of the sample benchmark"
suite = "sample_tuning_finetune"
rows = "all"

_finetuning = dict(task="classification", data="sample_validation:chexpert", metric="auroc")

columns = [
    dict(
        group=f"CheXpert, fine-tuning, AUROC: {norm} normalisation",
        label=f"backbone at {share} of the rate",
        protocol=f"demo/finetune_{norm}_{scale}",
        **_finetuning,
    )
    for norm in ("layer", "batch")
    for scale, share in (("015", "15 %"), ("050", "50 %"))
] + [
    dict(
        group="CheXpert, fine-tuning, AUROC: batch normalisation",
        label="backbone at 50 % of the rate, mean of the last map",
        protocol="demo/finetune",
        **_finetuning,
    )
]
notes = ["No patient of the test cohort is in this table."]
