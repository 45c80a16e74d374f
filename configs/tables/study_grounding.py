"""Where the models of the study see what a phrase describes: three kinds of maps.

prior-bench table study_grounding
"""

title = "The study of the sample benchmark: grounding of phrases (synthetic data)"
suite = "study_grounding"
rows = "all"

comparisons = [
    # does pre-training help: against random weights of the same network
    dict(rows=["ConVIRT"], against=["Random"]),
    dict(rows=["GLoRIA"], against=["Random, GLoRIA"]),
    dict(rows=["MGCA"], against=["Random, MGCA"]),
    dict(rows=["PRIOR", "PRIOR, extended"], against=["Random, PRIOR"]),
    dict(rows=["PRIOR, extended"], against=["ConVIRT", "GLoRIA", "MGCA", "PRIOR"]),
]

columns = [
    dict(
        group=kind,
        label=label,
        task="grounding",
        data="sample_study:ms_cxr",
        protocol=f"demo/{protocol}",
        metric=metric,
    )
    for kind, protocol in (
        ("MS-CXR, grounding by attention", "grounding"),
        ("MS-CXR, grounding by cosines", "grounding_similarity"),
        ("MS-CXR, grounding by Grad-CAM", "grounding_grad_cam"),
    )
    for label, metric in (("pixel AUROC", "pixel_auroc"), ("gain of the phrase", "phrase_gain"))
]
