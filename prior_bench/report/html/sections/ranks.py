"""Mean ranks of the rows over the comparison's columns, with the critical-difference diagram."""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.errors import BenchError
from prior_bench.report.html.figures.critical_difference import ranks_of, ranks_svg, ranks_text
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.tables.table import Table


@dataclass
class RankDiagram:
    """Diagram, the same in a sentence, and as a table; or only why there is none."""

    svg: str = ""
    text: str = ""
    table: SortableTable | None = None
    problem: str = ""


def rank_diagram(table: Table) -> RankDiagram:
    """Of a comparison table."""
    try:
        ranks = ranks_of(table)
    except BenchError as error:
        return RankDiagram(problem=error.what)
    listed = SortableTable("Mean ranks; 1 is best.", ["Backbone", "mean rank"])
    for label, average in zip(ranks.labels, ranks.average, strict=True):
        listed.rows.append([words(label), number(average, 2)])
    return RankDiagram(ranks_svg(ranks), ranks_text(ranks), listed)
