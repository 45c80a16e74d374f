"""Retrieval in both directions on MIMIC 5x200: re-runs of PRIOR, MGCA and MedCLIP by the authors of MedCTA.

prior-bench table medcta_retrieval --only-published
prior-bench table medcta_retrieval --with-published
"""

title = "Retrieval on MIMIC 5x200, released checkpoints re-run by the authors of MedCTA"
suite = "*"

columns = [
    dict(
        group=f"{_way.replace('-', ' ')}, precision",
        label=f"@{_k}",
        task="retrieval",
        data="mimic_5x200",
        metric=f"precision_at_{_k}/{_way.replace('-', '_')}",
        published=dict(
            source_paper="MedCTA (re-runs by its authors)",
            source_table="retrieval table",
            task=f"{_way} retrieval",
            metric=f"Precision@{_k}",
        ),
    )
    for _way in ("image-to-text", "text-to-image")
    for _k in (1, 2, 5, 10)
]
