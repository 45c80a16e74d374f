"""Retrieval of reports on MIMIC 5x200 (BenchX, arXiv 2410.21969, Table 5).

prior-bench table benchx_retrieval --only-published
prior-bench table benchx_retrieval --with-published
"""

title = "Image-to-text retrieval on MIMIC 5x200, as BenchX evaluates"
suite = "*"

columns = [
    dict(
        group=_name,
        label=f"@{_k}",
        task="retrieval",
        data="mimic_5x200",
        protocol="benchx/retrieval",
        metric=f"{_name.lower()}_at_{_k}/image_to_text",
        published=dict(
            source_paper="BenchX (NeurIPS 2024 D&B)", source_table="Table 5", metric=f"{_name}@{_k}"
        ),
    )
    for _name in ("Hit", "Precision")
    for _k in (1, 5, 10)
]
