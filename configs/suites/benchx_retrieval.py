"""BenchX's retrieval and zero-shot classification on MIMIC 5x200.

prior-bench run benchx_retrieval --dry-run
"""

_base_ = "prior_tasks.py"

name = "benchx_retrieval"
title = "BenchX's retrieval and zero-shot classification"
table = "benchx_retrieval"
seeds = [42, 0, 1]

evaluations = [
    dict(task="retrieval", data="mimic_5x200", protocol="benchx/retrieval", seeds=[0]),
    dict(task="zero_shot", data="mimic_5x200", protocol="benchx/zero_shot"),
]
