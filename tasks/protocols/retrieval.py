"""The schema of retrieval protocols."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from prior_bench.metrics import retrieval
from prior_bench.schema.base import Count, Distinct, Index, Nothing, OneOf, Said, Strict, Text
from prior_bench.schema.protocol import ProtocolModel, WhollyFrozen


class RetrievalOptions(Strict):
    """Options of retrieval."""

    pool: Annotated[
        Annotated[int, Field(ge=2)] | Literal["test_split"],
        Said("'test_split' or a number of studies above 1"),
    ] = "test_split"
    """Candidates: the test split, or a number of studies drawn from it with ``pool_seed``."""
    pool_seed: Index = 0
    """Seed of the pool, and of the order of ties."""
    exclude_self: bool = False
    """Whether to leave a query's own counterpart out of Precision@K and Hit@K (BenchX keeps it)."""
    match_labels: Annotated[Distinct[Text], Field(min_length=1)] | None = None
    """Labels that Precision@K and Hit@K compare; none: all labels of the data set."""

    cascade: Annotated[Count, Field(ge=max(retrieval.KS))] | None = None
    """Candidates of each query that are ranked by the method's own score, after a first ranking of all by its
    global score (docs/protocols/retrieval.md). None: all, which is exact."""


class RetrievalProtocol(ProtocolModel):
    """Image-text retrieval, without training."""

    head: Nothing = Nothing()
    """Not used."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """The backbone is fully frozen."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Nothing = Nothing()
    """Not used."""
    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: retrieval.DESCRIBED)]], Field(min_length=1)
    ]
    """Names of the metrics, the primary one first."""
    options: RetrievalOptions = RetrievalOptions()
    """Options of the task."""
