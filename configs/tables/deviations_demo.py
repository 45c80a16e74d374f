"""Effect of each difference between released code and paper, on the sample benchmark.

prior-bench table deviations_demo
"""

_base_ = "demo.py"

title = "Differences between released code and paper, sample benchmark (synthetic data)"
suite = "deviations_demo"

columns = [
    dict(_base_._probe, group="CheXpert, linear probe", label="AUROC"),
    dict(_base_._zero_shot, label="accuracy", metric="accuracy"),
    dict(_base_._zero_shot, label="AUROC", metric="auroc"),
    dict(_base_._retrieval, label="image → text R@5", metric="recall_at_5/image_to_text"),
    dict(_base_._retrieval, label="text → image R@5", metric="recall_at_5/text_to_image"),
    dict(_base_._retrieval, label="P@5", metric="precision_at_5"),
]
