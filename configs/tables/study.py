"""The table of the study of the sample benchmark, with the comparisons that it is made for.

prior-bench table study
"""

title = "The study of the sample benchmark (synthetic data)"
suite = "study"
rows = "all"

comparisons = [
    # does pre-training help: against random weights of the same network
    dict(rows=["ConVIRT", "GLoRIA", "MGCA"], against=["Random"]),
    dict(rows=["PRIOR", "PRIOR, extended"], against=["Random, attention pool"]),
    dict(rows=["PRIOR", "PRIOR, extended"], against=["ConVIRT", "GLoRIA", "MGCA"]),
    dict(rows=["PRIOR, extended"], against=["PRIOR"]),
]

_probe = dict(
    group="CheXpert, linear probe, AUROC",
    task="classification",
    data="sample_study:chexpert",
    protocol="demo/linear_probe",
    metric="auroc",
)
_finetune = dict(
    group="CheXpert, fine-tuning, AUROC",
    task="classification",
    data="sample_study:chexpert",
    protocol="demo/finetune",
    metric="auroc",
)
_zero_shot = dict(
    group="CheXpert 5x200, zero-shot",
    task="zero_shot",
    data="sample_study:chexpert_5x200",
    protocol="demo/zero_shot",
)
_retrieval = dict(
    group="MIMIC-CXR, retrieval",
    task="retrieval",
    data="sample_study:mimic_cxr",
    protocol="demo/retrieval",
)

columns = [
    dict(label="1 %", fraction=0.01, **_probe),
    dict(label="10 %", fraction=0.1, **_probe),
    dict(label="100 %", fraction=1.0, **_probe),
    dict(label="10 %", fraction=0.1, **_finetune),
    dict(label="100 %", fraction=1.0, **_finetune),
    dict(label="accuracy", metric="accuracy", **_zero_shot),
    dict(label="F1", metric="f1", **_zero_shot),
    dict(label="image → text R@5", metric="recall_at_5/image_to_text", **_retrieval),
    dict(label="text → image R@5", metric="recall_at_5/text_to_image", **_retrieval),
    dict(label="P@5", metric="precision_at_5", **_retrieval),
    dict(
        group="SIIM, segmentation",
        label="Dice, positives",
        task="segmentation",
        data="sample_study:siim_acr",
        protocol="demo/segmentation",
        metric="dice_positives",
    ),
    dict(
        group="RSNA, detection",
        label="mAP 40–75, three heads",
        task="detection",
        data="sample_study:rsna_pneumonia",
        protocol="demo/detection_three_heads",
        metric="map_40_75",
    ),
]
