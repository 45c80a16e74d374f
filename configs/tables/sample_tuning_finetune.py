"""The rate of the backbone in the sample benchmark's fine-tuning, compared on the validation cohort.

prior-bench table sample_tuning_finetune
"""

title = "The rate of fine-tuning on the validation cohort of the sample benchmark"
suite = "sample_tuning_finetune"
rows = "all"

columns = [
    dict(
        group=f"CheXpert, fine-tuning with {labels} of the labels, AUROC",
        label=f"backbone at {share} of the rate",
        task="classification",
        data="sample_validation:chexpert",
        protocol=f"demo/finetune_backbone_{scale}",
        metric="auroc",
        fraction=fraction,
    )
    for labels, fraction in (("10 %", 0.1), ("100 %", 1.0))
    for scale, share in (("005", "5 %"), ("015", "15 %"), ("050", "50 %"))
]
notes = ["No patient of the test cohort is in this table."]
