"""Options and metrics of tasks that also test on corrupted images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from prior_bench.data.images.corruptions import SEVERITIES
from prior_bench.errors import BenchError
from prior_bench.metrics.robustness import ENDINGS, base
from prior_bench.registry import CORRUPTIONS
from prior_bench.schema.base import Distinct, OneOf, Problems, Strict


def _loads(name: str) -> bool:
    """Whether a name has the form ``module:function`` and can be loaded."""
    try:
        return ":" in name and bool(CORRUPTIONS.get(name))
    except BenchError:
        return False


class CorruptionOptions(Strict):
    """Corruptions of the test images (:mod:`prior_bench.data.images.corruptions`)."""

    corruptions: Distinct[
        Annotated[
            str, OneOf("corruption", CORRUPTIONS.names, listed="prior-bench list corruptions", accepts=_loads)
        ]
    ] = ()
    """Corruptions under which test images are also evaluated."""
    severities: Annotated[Distinct[Annotated[int, Field(ge=1, le=5)]], Field(min_length=1)] = SEVERITIES
    """Severities of the corruptions, from 1 to 5."""


def with_corrupted(metrics: Iterable[str]) -> list[str]:
    """Return the names of metrics of clean and of corrupted images."""
    metrics = list(metrics)
    return [*metrics, *(f"{metric}{ending}" for ending in ENDINGS for metric in metrics)]


def corruption_problems(metrics: tuple[str, ...], options: CorruptionOptions, problems: Problems) -> None:
    """Add a problem if there are corruptions without metrics of corrupted images, or the reverse."""
    asked = [metric for metric in metrics if metric != base(metric)]
    if asked and not options.corruptions:
        fix = 'set options.corruptions, e.g. ["noise", "blur"]'
        problems.add("metrics", metrics, f"metric '{asked[0]}' needs corruptions", fix)
    if options.corruptions and not asked:
        fix = "add one to metrics, e.g. auroc_corrupted"
        problems.add("options.corruptions", options.corruptions, "no metric uses the corruptions", fix)
