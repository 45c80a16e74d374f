"""Loss terms with right and with wrong partners, for every method of an evaluation that stored them."""

from __future__ import annotations

from prior_bench.errors import BenchError
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun

COLUMNS = ["Backbone", "Loss term", "Own image", "Wrong image", "Rise", "95 %, from", "to", "Verdict"]


def partner_tables(entries: list[FinishedRun]) -> list[SortableTable]:
    """Make a table of the loss terms of all backbones (see :mod:`prior_bench.explain.partners`).

    Args:
        entries: finished runs of one evaluation, one per backbone.

    Returns:
        One table, or none if no run stored loss terms.
    """
    rows = []
    for entry in entries:
        try:
            found = load_predictions(entry.store.root, entry.key)
        except BenchError:
            continue
        if "meta_partner_term" not in found:
            continue
        name = entry.spec["backbone"]["name"]
        arrays = (found[f"meta_partner_{part}"] for part in ("term", "loss", "verdict"))
        for term, values, verdict in zip(*arrays, strict=True):
            numbers = [number(float(value), 3) for value in values]
            rows.append([words(name), words(str(term)), *numbers, words(str(verdict))])
    if not rows:
        return []
    caption = (
        f"Terms of the training losses on {entries[0].spec['data']['name']}, with each report's own image "
        "and with that of another patient. The interval is a bootstrap over batches. A term that does not "
        "rise with a wrong partner teaches nothing about which image belongs to which report."
    )
    table = SortableTable(caption, COLUMNS)
    table.rows = rows
    return [table]
