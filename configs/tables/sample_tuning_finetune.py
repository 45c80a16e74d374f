"""Normalisation before the head, and the backbone's rate, of fine-tuning, compared on the validation cohort.

prior-bench table sample_tuning_finetune
"""

title = "Choices of fine-tuning on the validation cohort of the sample benchmark"
suite = "sample_tuning_finetune"
rows = "all"

columns = [
    dict(
        group=f"CheXpert, fine-tuning, AUROC: {norm} normalisation",
        label=f"backbone at {share} of the rate",
        task="classification",
        data="sample_validation:chexpert",
        protocol=f"demo/finetune_{norm}_{scale}",
        metric="auroc",
    )
    for norm in ("layer", "batch")
    for scale, share in (("015", "15 %"), ("050", "50 %"))
]
notes = ["No patient of the test cohort is in this table."]
