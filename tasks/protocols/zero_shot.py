"""Schema of zero-shot protocols."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from prior_bench.data.texts import prompts
from prior_bench.metrics import classification, prompt_wording
from prior_bench.schema.base import Count, Distinct, Nothing, OneOf, Problems
from prior_bench.schema.protocol import ProtocolModel, WhollyFrozen

from .corrupted import CorruptionOptions, corruption_problems, with_corrupted


def metric_names() -> list[str]:
    """Metrics of clean and corrupted images, and of the wording of prompts."""
    return [*with_corrupted(classification.METRICS), *prompt_wording.METRICS]


def _is_file(name: str) -> bool:
    return name.endswith(".json")


class ZeroShotOptions(CorruptionOptions):
    """Options of zero-shot classification."""

    prompts: Annotated[str, OneOf("prompt set", prompts.names, accepts=_is_file)]
    """A prompt set: a shipped one or a .json file."""
    prompts_per_class: Count | None = None
    """Draw so many prompts of each class, by the run's seed; none takes all."""
    pooling: Literal["max", "mean"] = "max"
    """Over the prompts of a class."""
    normalise: Literal["whole_set", "per_batch", "none"] = "whole_set"
    """Over which images the scores of each class are standardised. ``per_batch`` makes the score of an image
    depend on its neighbours."""


class ZeroShotProtocol(ProtocolModel):
    """Zero-shot classification: nothing is trained."""

    head: Nothing = Nothing()
    """Not used."""
    frozen: WhollyFrozen = WhollyFrozen(backbone=True, batch_norm=True)
    """All of the backbone."""
    optimizer: Nothing = Nothing()
    """Not used."""
    stopping: Nothing = Nothing()
    """Not used."""
    metrics: Annotated[Distinct[Annotated[str, OneOf("metric", metric_names)]], Field(min_length=1)]
    """Names of the metrics, the primary one first."""
    options: ZeroShotOptions
    """What only this task knows."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        corruption_problems(self.metrics, self.options, problems)
        problems.raise_any()
        return self
