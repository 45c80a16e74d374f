"""What each departure of the released code costs, on the sample benchmark.

prior-bench table deviations_demo
"""

title = "Departures of the released code, sample benchmark (synthetic data)"
suite = "deviations_demo"
rows = "all"

_retrieval = dict(
    group="MIMIC-CXR, retrieval",
    task="retrieval",
    data="sample:mimic_cxr",
    protocol="demo/retrieval",
)
_zero_shot = dict(
    group="CheXpert 5x200, zero-shot",
    task="zero_shot",
    data="sample:chexpert_5x200",
    protocol="demo/zero_shot",
)

columns = [
    dict(
        group="CheXpert, linear probe",
        label="AUROC",
        task="classification",
        data="sample:chexpert",
        protocol="demo/linear_probe",
        metric="auroc",
    ),
    dict(label="accuracy", metric="accuracy", **_zero_shot),
    dict(label="AUROC", metric="auroc", **_zero_shot),
    dict(label="image → text R@5", metric="recall_at_5/image_to_text", **_retrieval),
    dict(label="text → image R@5", metric="recall_at_5/text_to_image", **_retrieval),
    dict(label="P@5", metric="precision_at_5", **_retrieval),
]
