"""Sentence prototypes of methods that have them: their use, and their nearest sentences."""

from __future__ import annotations

from prior_bench.errors import BenchError
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun


def prototype_tables(entries: list[FinishedRun]) -> list[SortableTable]:
    """Return a table for every run with stored prototypes (see :mod:`prior_bench.explain.examples`).

    Args:
        entries: finished runs of one evaluation, one per backbone.
    """
    tables = []
    for entry in entries:
        try:
            found = load_predictions(entry.store.root, entry.key)
        except BenchError:
            continue
        if "meta_prototype_share" not in found:
            continue
        count, perplexity = found["meta_prototype_usage"]
        name, data = entry.spec["backbone"]["name"], entry.spec["data"]["name"]
        caption = (
            f"{name}: the prototypes that are nearest to most sentences of the training reports of {data}. "
            f"The perplexity of the choices is {perplexity:.1f} of {count:.0f} prototypes "
            f"({100 * perplexity / count:.0f} %)."
        )
        table = SortableTable(caption, ["Prototype", "Share of sentences, %", "Nearest sentences"])
        rows = zip(found["meta_prototype_share"], found["meta_prototype_sentences"], strict=True)
        for rank, (share, sentences) in enumerate(rows, 1):
            nearest = " · ".join(str(text) for text in sentences if text)
            table.rows.append([number(rank, 0), number(100 * float(share)), words(nearest)])
        tables.append(table)
    return tables
