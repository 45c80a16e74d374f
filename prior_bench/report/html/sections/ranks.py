"""Mean ranks of the rows over the comparison's columns, with the critical-difference diagram."""

from __future__ import annotations

import math
from dataclasses import dataclass

from prior_bench.errors import BenchError
from prior_bench.report.html.figures.rank_plot import rank_plot
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.tables.mean_ranks import ranks_of, ranks_text
from prior_bench.report.tables.table import Table


@dataclass
class RankSection:
    """The diagram, its description and its table, or only the reason why there is none.

    Attributes:
        tested: whether there is a critical difference, without which bars have no meaning.
    """

    svg: str = ""
    text: str = ""
    table: SortableTable | None = None
    tested: bool = False
    problem: str = ""


def rank_section(table: Table) -> RankSection:
    """Return the section of a comparison table."""
    try:
        ranks = ranks_of(table)
    except BenchError as error:
        return RankSection(problem=error.what)
    listed = SortableTable("Mean ranks; 1 is best.", ["Backbone", "mean rank"])
    if ranks.intervals:
        listed.columns += ["95 % interval over seeds"]
    for place, (label, average) in enumerate(zip(ranks.labels, ranks.average, strict=True)):
        row = [words(label), number(average, 2)]
        if ranks.intervals:
            row.append(words("{:.2f} to {:.2f}".format(*ranks.intervals[place])))
        listed.rows.append(row)
    text = ranks_text(ranks, table)
    svg = rank_plot(ranks, "Critical-difference diagram", text)
    return RankSection(svg, text, listed, math.isfinite(ranks.difference))
