"""The models of the study on the validation cohort.

prior-bench table study_validation
"""

title = "The models of the study on the validation cohort (synthetic data)"
suite = "study_validation"
rows = "all"

_probe = dict(
    group="CheXpert, linear probe, AUROC",
    task="classification",
    data="sample_validation:chexpert",
    protocol="demo/linear_probe",
    metric="auroc",
)
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
    dict(label="1 %", fraction=0.01, **_probe),
    dict(label="10 %", fraction=0.1, **_probe),
    dict(label="100 %", fraction=1.0, **_probe),
    dict(label="accuracy", metric="accuracy", **_zero_shot),
    dict(label="F1", metric="f1", **_zero_shot),
    dict(label="image → text R@5", metric="recall_at_5/image_to_text", **_retrieval),
    dict(label="text → image R@5", metric="recall_at_5/text_to_image", **_retrieval),
    dict(label="P@5", metric="precision_at_5", **_retrieval),
    dict(label="pixel AUROC", metric="pixel_auroc", **_grounding),
    dict(label="gain of the phrase", metric="phrase_gain", **_grounding),
]
notes = ["Configs were chosen on this cohort, with seed 0."]
