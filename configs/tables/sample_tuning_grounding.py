"""Which kind of map grounds phrases best on the validation cohort.

prior-bench table sample_tuning_grounding
"""

title = "Kinds of maps on the validation cohort (synthetic data)"
suite = "sample_tuning_grounding"
rows = "all"

columns = [
    dict(
        group=kind,
        label=label,
        task="grounding",
        data="sample_validation:ms_cxr",
        protocol=f"demo/{protocol}",
        metric=metric,
    )
    for kind, protocol in (
        ("attention", "grounding"),
        ("cosine", "grounding_similarity"),
        ("Grad-CAM", "grounding_grad_cam"),
    )
    for label, metric in (("pixel AUROC", "pixel_auroc"), ("gain of the phrase", "phrase_gain"))
]
