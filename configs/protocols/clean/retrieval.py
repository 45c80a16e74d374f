"""Image-text retrieval in both directions, with one frontal image and its report per study of the test split.

prior-bench eval retrieval --backbone my.ckpt --data mimic_cxr --protocol clean/retrieval
"""

protocol = dict(
    task="retrieval",
    source="Recall@K of the exact pair; Precision@K and Hit@K by label as in BenchX (arXiv 2410.21969)",
    metrics=(
        "recall_at_5",
        "recall_at_1",
        "recall_at_10",
        "precision_at_1",
        "precision_at_5",
        "precision_at_10",
        "hit_at_1",
        "hit_at_5",
        "hit_at_10",
        "median_rank",
    ),
    options=dict(pool="test_split", pool_seed=0, exclude_self=True, match_labels=None),
)
