"""The schema of throughput protocols."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from prior_bench.api import Metric, by_name
from prior_bench.schema.base import Count, Distinct, Index, Nothing, OneOf, Strict
from prior_bench.schema.protocol import ProtocolModel, WhollyFrozen

_PLAIN: dict[str, Any] = dict(scale=1.0, bounds=(0.0, None))
METRICS = by_name(
    (
        Metric("images_per_second", "higher", "images per second", **_PLAIN),
        Metric("parameters", "lower", "parameters of the image encoder", **_PLAIN),
        Metric("parameters_total", "lower", "parameters of the whole method", **_PLAIN),
        Metric("gflops", "lower", "GFLOPs", **_PLAIN),
        Metric("peak_memory_mb", "lower", "peak memory, MB", **_PLAIN),
    )
)


class ThroughputOptions(Strict):
    """Options of throughput."""

    warmup: Index = 3
    """Number of batches before the measurement."""
    repeats: Count = 20
    """Number of measured batches."""


class ThroughputProtocol(ProtocolModel):
    """Forward passes on random images, without training and without data."""

    head: Nothing = Nothing()
    """Not used."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """The backbone is fully frozen."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Nothing = Nothing()
    """Not used."""
    metrics: Annotated[Distinct[Annotated[str, OneOf("metric", METRICS)]], Field(min_length=1)]
    """Names of the metrics, the primary one first."""
    options: ThroughputOptions = ThroughputOptions()
    """Options of the task."""
