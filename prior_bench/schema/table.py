"""The schema of table configs (``configs/tables``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prior_bench.schema.base import Count, Index, Positive, Said, Several, Share, Strict, Text
from prior_bench.schema.suite import Names, Reference, TaskName


class ColumnConfig(Strict):
    """A column: a metric of an evaluation, and its format."""

    group: str
    """First level of the heading."""
    label: str
    """Second level of the heading."""
    task: TaskName
    """Task of the runs."""
    data: Reference
    """Data set of the runs."""
    protocol: str = ""
    """Protocol of the runs; may be left out with published numbers."""
    metric: str
    """Name of the metric; empty for published numbers of a metric that this suite does not have."""
    fraction: Share = 1.0
    """Label fraction of the runs."""
    shots: Count | None = None
    """Training images per class of few-shot runs, in place of a fraction."""
    scale: Positive | None = None
    """Factor by which values are multiplied; default: declared by the metric."""
    digits: Index | None = None
    """Number of decimals; default: declared by the metric."""
    higher_is_better: bool | None = None
    """Whether the highest value is the best; default: declared by the metric."""
    arrow: bool = True
    """Whether an arrow in the heading shows the better direction."""
    published: dict[str, Any] = {}
    """Values that select the published numbers of this column (docs/published.md)."""
    compared: bool = True
    """Whether the declared comparisons of the table are tested in this column."""


class ComparisonConfig(Strict):
    """A comparison: rows that are tested against other rows."""

    rows: Several[Text]
    """Names of backbones."""
    against: Several[Text]
    """Names of the backbones that each of them is compared with."""


class TableFile(Strict):
    """A comparison table."""

    title: str = ""
    """Title of the table."""
    suite: Names = ""
    """Suites whose stores are read, or ``"*"`` for all; default: the suite of the same name."""
    rows: Annotated[Literal["all"] | Several[Text], Said("'all' or a list of names")] = "all"
    """Names of backbones, in order."""
    columns: Several[ColumnConfig]
    """Columns of the table."""
    comparisons: Several[ComparisonConfig] = ()
    """Comparisons that are tested, each entry as one question with its own correction; default: every pair of
    rows, in every column, corrected together."""
    intervals: bool = False
    """Whether a cell of one seed shows a 95 % bootstrap interval by test patient."""
    notes: Several[str] = ()
    """Sentences that accompany the values."""
    published_names: dict[str, str] = {}
    """Published methods by the names of the corresponding backbones, if these differ."""
