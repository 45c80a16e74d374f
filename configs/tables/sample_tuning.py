"""Choices of the sample benchmark's configs, compared on the validation cohort.

prior-bench table sample_tuning
"""

title = "Choices on the validation cohort of the sample benchmark"
suite = "sample_tuning"
rows = "all"

_zero_shot = dict(
    group="CheXpert 5x200, zero-shot",
    task="zero_shot",
    data="sample_validation:chexpert_5x200",
    protocol="demo/zero_shot",
)
_grounding = dict(
    group="MS-CXR, grounding",
    task="grounding",
    data="sample_validation:ms_cxr",
    protocol="demo/grounding",
)
_retrieval = dict(
    group="MIMIC-CXR, retrieval",
    task="retrieval",
    data="sample_validation:mimic_cxr",
    protocol="demo/retrieval",
)

columns = [
    dict(
        group="CheXpert, linear probe",
        label="AUROC",
        task="classification",
        data="sample_validation:chexpert",
        protocol="demo/linear_probe",
        metric="auroc",
    ),
    dict(label="accuracy", metric="accuracy", **_zero_shot),
    dict(label="AUROC", metric="auroc", **_zero_shot),
    dict(label="image → text R@10", metric="recall_at_10/image_to_text", **_retrieval),
    dict(label="text → image R@10", metric="recall_at_10/text_to_image", **_retrieval),
    dict(label="pixel AUROC", metric="pixel_auroc", **_grounding),
    dict(label="gain of the phrase", metric="phrase_gain", **_grounding),
]
notes = ["No patient of the test cohort is in this table."]
