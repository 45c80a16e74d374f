"""The rate of the backbone in the sample benchmark's fine-tuning, compared on the validation cohort.

prior-bench table sample_tuning_finetune
"""

title = "The rate of fine-tuning on the validation cohort of the sample benchmark"
suite = "sample_tuning_finetune"
rows = "all"

columns = [
    dict(
        group="CheXpert, fine-tuning, AUROC",
        label=f"backbone at {share} of the head's rate",
        task="classification",
        data="sample_validation:chexpert",
        protocol=f"demo/finetune_backbone_{scale}",
        metric="auroc",
    )
    for scale, share in (("005", "5 %"), ("015", "15 %"), ("050", "50 %"))
]
notes = ["No patient of the test cohort is in this table."]
