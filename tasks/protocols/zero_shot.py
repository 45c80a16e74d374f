"""Schema of zero-shot protocols."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError
from prior_bench.metrics import classification, prompt_wording
from prior_bench.schema.base import Count, Distinct, Nothing, OneOf, Positive, Problems, Real
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
    pooling: Literal["max", "mean", "embedding"] = "max"
    """Over the prompts of a class. ``max`` takes the score of the best prompt, ``mean`` the mean of the
    scores, ``embedding`` the score of the mean of the normalised text embeddings (CLIP, CheXzero), for
    methods that compare cosines."""
    score: Literal["similarity", "pair_softmax", "softmax", "sigmoid"] = "similarity"
    """Score of a class (docs/zero_shot.md). ``similarity``: the pooled similarity, or, of prompts with
    negatives, the positive minus the negative one, decided at 0. ``pair_softmax``: softmax over the positive
    and the negative one. ``softmax``: over the classes. ``sigmoid``: of each class by itself. The last two
    use positive prompts alone."""
    scale: Positive = 1.0
    """Factor of the similarities in a softmax or sigmoid (an inverse temperature)."""
    bias: Real = 0.0
    """Added to the scaled similarities in a sigmoid."""
    normalise: Literal["whole_set", "per_batch", "none"] = "whole_set"
    """Over which images the scores of each class are standardised. ``per_batch`` makes the score of an image
    depend on its neighbours. Prompts with negatives take ``none``: they compare two scores of one image."""
    queries: Literal["classes", "prompt_set"] = "classes"
    """Texts that a decoder of findings reads at once (MedKLIP, KAD, MAVL), where the score of a text depends
    on the others: the prompts of the scored classes, or those of all classes of the prompt set, also of
    classes that are no labels of the data. Of other methods, it changes no score."""
    shuffled: bool = False
    """Whether ``per_batch`` takes the images in a random order, drawn by the run's seed."""


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
        _score_problems(self.options, problems)
        problems.raise_any()
        return self

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The protocol with the content of a prompt file in place of its path.

        Raises:
            BenchError: no such file, or something is wrong with its content.
        """
        return with_content(values)


def _score_problems(options: ZeroShotOptions, problems: Problems) -> None:
    score, normalise, negatives = options.score, options.normalise, _has_negatives(options.prompts)
    if normalise != "none" and negatives:
        what = f"is '{normalise}'; prompts with negatives need 'none'"
        problems.add("options.normalise", normalise, what, "they compare two scores of one image")
    elif normalise != "none" and score != "similarity":
        what = f"is '{normalise}'; the score '{score}' needs 'none'"
        problems.add("options.normalise", normalise, what, "it is made of the similarities themselves")
    if score == "pair_softmax" and negatives is False:
        fix = "take prompts with 'positive' and 'negative', or another options.score"
        problems.add("options.score", score, "is 'pair_softmax'; the prompts have no negatives", fix)
    if score == "similarity" and options.scale != 1:
        problems.add(
            "options.scale", options.scale, "changes nothing for the score 'similarity'", "leave it out"
        )
    if options.shuffled and normalise != "per_batch":
        what = f"changes nothing for normalise '{normalise}'"
        problems.add("options.shuffled", options.shuffled, what, "leave it out, or take 'per_batch'")
    if options.queries == "prompt_set" and options.pooling == "embedding":
        what = "is 'embedding', which no decoder of findings has; options.queries is for these"
        problems.add("options.pooling", options.pooling, what, "take 'max' or 'mean', or leave queries out")
    if score != "sigmoid" and options.bias != 0:
        problems.add("options.bias", options.bias, f"changes nothing for the score '{score}'", "leave it out")


def _has_negatives(given: str | dict[str, Any]) -> bool | None:
    """Whether prompts have negatives; None if they cannot be read."""
    try:
        return bool(prompts.load(given).negatives)
    except BenchError:
        return None  # whoever loads the prompts says what is wrong


def with_prompts(given: str | Path | Mapping[str, Any]) -> dict[str, Any]:
    """Changes to a protocol under which all prompts of another set are used.

    Args:
        given: as :func:`prior_bench.data.texts.prompts.load` takes it.

    Raises:
        BenchError: no such set or file, or something is wrong with its content.
    """
    changes = {**as_change(given), "options.prompts_per_class": None}
    return {**changes, "options.normalise": "none"} if prompts.load(given).negatives else changes
