"""Schema of table configs (``configs/tables``)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from prior_bench.schema.base import Index, Positive, Said, Several, Share, Strict, Text
from prior_bench.schema.suite import Names, Reference, TaskName


class ColumnConfig(Strict):
    """A metric of an evaluation, and how it is shown."""

    group: str
    """First level of the heading."""
    label: str
    """Second level of the heading."""
    task: TaskName
    """Task of the runs."""
    data: Reference
    """Data set of the runs."""
    protocol: str = ""
    """Protocol of the runs; may be left out beside published numbers."""
    metric: str
    """Name of the metric; empty beside published numbers of a metric that none of ours is."""
    fraction: Share = 1.0
    """Label fraction of the runs."""
    scale: Positive | None = None
    """What the metric is multiplied with; default: as the metric says."""
    digits: Index | None = None
    """Decimals shown; default: as the metric says."""
    higher_is_better: bool | None = None
    """Decides what is marked as best; default: as the metric says."""
    arrow: bool = True
    """Whether the heading shows which numbers are better."""
    published: dict[str, Any] = {}
    """Which published numbers belong here (docs/published.md)."""


class TableFile(Strict):
    """A table."""

    title: str = ""
    """Heading."""
    suite: Names = ""
    """Suites whose stores are read, or ``"*"`` for all; default: the one of the same name."""
    rows: Annotated[Literal["all"] | Several[Text], Said("'all' or a list of names")] = "all"
    """Names of backbones, in order."""
    columns: Several[ColumnConfig]
    """What is shown."""
    notes: Several[str] = ()
    """Sentences that accompany the numbers."""
    published_names: dict[str, str] = {}
    """Published methods by the name of the backbone of ours that they stand beside."""
