"""Schema of zero-shot protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from prior_bench.data.texts import prompts
from prior_bench.errors import ErrorList
from prior_bench.metrics import classification, prompt_wording
from prior_bench.schema.base import Count, Distinct, Nothing, OneOf, Problems
from prior_bench.schema.protocol import ProtocolModel, WhollyFrozen

from .corrupted import CorruptionOptions, corruption_problems, with_corrupted
from .prompted import PromptsOption, as_change, with_content


def metric_names() -> list[str]:
    """Metrics of clean and corrupted images, and of the wording of prompts."""
    return [*with_corrupted(classification.METRICS), *prompt_wording.METRICS]


class ZeroShotOptions(CorruptionOptions):
    """Options of zero-shot classification."""

    prompts: PromptsOption
    """A prompt set: a shipped one, a .json file (`prior-bench schema --json prompts`), or what such a file
    holds. Of one's own prompts the content is stored, not the path."""
    prompts_per_class: Count | None = None
    """Draw so many prompts of each class, by the run's seed; none takes all."""
    pooling: Literal["max", "mean"] = "max"
    """Over the prompts of a class."""
    normalise: Literal["whole_set", "per_batch", "none"] = "whole_set"
    """Over which images the scores of each class are standardised. ``per_batch`` makes the score of an image
    depend on its neighbours. Prompts with negatives take ``none``: they compare two scores of one image."""


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
        given, normalise = self.options.prompts, self.options.normalise
        if isinstance(given, dict) and normalise != "none" and _has_negatives(given):
            what = f"is '{normalise}'; prompts with negatives need 'none'"
            problems.add("options.normalise", normalise, what, "they compare two scores of one image")
        problems.raise_any()
        return self

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The protocol with the content of a prompt file in place of its path.

        Raises:
            BenchError: no such file, or something is wrong with its content.
        """
        return with_content(values)


def _has_negatives(given: dict[str, Any]) -> bool:
    try:
        return bool(prompts.load(given).negatives)
    except ErrorList:
        return False  # whoever loads the prompts says what is wrong


def with_prompts(given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Changes to a protocol under which all prompts of another set are used.

    Args:
        given: as :func:`prior_bench.data.texts.prompts.load` takes it.

    Raises:
        BenchError: no such set or file, or something is wrong with its content.
    """
    changes = {**as_change(given), "options.prompts_per_class": None}
    return {**changes, "options.normalise": "none"} if prompts.load(given).negatives else changes
