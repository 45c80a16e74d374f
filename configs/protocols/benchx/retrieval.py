"""Retrieval on MIMIC 5x200 as BenchX's released code scores it: docs/protocols/benchx.md.

prior-bench eval retrieval --backbone resnet_50.ckpt --data mimic_5x200 --protocol benchx/retrieval
"""

protocol = dict(
    task="retrieval",
    source="BenchX (arXiv 2410.21969), code: unifier/blocks/zeroshot/zeroshot_model.py:136-166, "
    "bin/test_zeroshot.py; BenchX's pool is a batch of a size not determined; here it is the whole set",
    split=dict(rule="benchx"),
    metrics=(
        "hit_at_1",
        "hit_at_5",
        "hit_at_10",
        "precision_at_1",
        "precision_at_5",
        "precision_at_10",
        "recall_at_1",
        "recall_at_5",
        "recall_at_10",
    ),  # fmt: skip
    options=dict(pool="test_split", exclude_self=False, match_labels=None),
    defects=(
        "a query's own report is among the candidates and counts as a hit (zeroshot_model.py:136-166)",
        "candidates are right by label, not by pair: 200 of 1,000 are (same place)",
    ),
)
