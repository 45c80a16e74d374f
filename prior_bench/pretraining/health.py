"""Values that show whether training goes wrong, and warnings based on them, which never stop a run.

The values are in the history of a run, by epoch. The warnings depend only on the history, so that a run that
was killed and resumed has the same warnings as an uninterrupted run. docs/pretraining.md explains them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.pretraining.best_epoch import VALID
from prior_bench.pretraining.schedule import Schedule

HEALTH = "health/"
"""Prefix of the names of these values in the history."""
TEMPERATURE = "inverse_temperature"
"""Name of an inverse temperature; a slash and the parameter's name follow."""
OF_CHANCE = "loss_over_chance"
"""Name of a loss divided by its chance level; a slash and the loss's name follow."""

LEAST_PROTOTYPES = 0.1
"""Smallest share of prototypes in use: their perplexity over min(K, number of distinct sentences)."""
MOST_ALIKE = 0.99
"""Largest mean cosine between local features of one image, and between those of different texts."""
SHARPEST, SOFTEST = 110.0, 1.0
"""Largest and smallest inverse temperature. CLIP limits it to 100; methods that start there may exceed it."""
NOTHING_LEARNED = 0.01
"""Largest relative difference to the chance level at which a loss counts as not learned."""
PATIENCE = 5
"""Number of epochs of a stage after which such a loss gives a warning, without warm-up.

A healthy local loss may need four epochs before it decreases.
"""
ERRORS = 2.0
"""Standard errors by which retrieval must fall below the end of the previous stage before a warning."""
JUDGED = "recall_at_5"
"""The retrieval metric that is compared between stages."""


class TrainingWarning(NamedTuple):
    """A warning about a training run.

    Attributes:
        kind: kind of warning; a run has at most one of each kind.
        epoch: epoch in which the problem was first seen, counted from 1.
        text: description of the problem.
    """

    kind: str
    epoch: int
    text: str

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.text}"


# --- values ---------------------------------------------------------------------------------------------


def likeness_within(local: Tensor, mask: Tensor | None = None) -> Tensor:
    """Compute the mean cosine between different local features of each image, [B]; NaN below two features.

    Args:
        local: [B, N, D].
        mask: bool [B, N], False on padding.
    """
    unit, count = _unit(local, mask)
    return (unit.sum(1).square().sum(-1) - count) / (count * (count - 1))


class LikenessAcross:
    """The mean cosine over all pairs of local features of different texts, collected batch by batch."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []
        self._counts: list[Tensor] = []

    def add(self, local: Tensor, mask: Tensor | None = None) -> None:
        """Add local features [B, S, D] of B texts, with a mask, bool [B, S], False on padding."""
        unit, count = _unit(local, mask)
        self._sums.append(unit.sum(1))
        self._counts.append(count)

    def mean(self) -> float:
        """Return the mean; NaN for fewer than two texts with local features."""
        if not self._sums:
            return math.nan
        sums, counts = torch.cat(self._sums), torch.cat(self._counts)
        cosines = sums.sum(0).square().sum() - sums.square().sum()
        pairs = counts.sum().square() - counts.square().sum()
        return (cosines / pairs).item()


def _unit(local: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return features of length 1 (0 on padding) and their number per row, both in double precision."""
    mask = torch.ones_like(local[..., 0], dtype=torch.bool) if mask is None else mask
    # masked, not multiplied by the mask: padding may have any value, even NaN
    unit = F.normalize(local.double(), dim=-1).masked_fill(~mask[..., None], 0)
    return unit, mask.sum(1).double()


def temperatures(method: Any) -> dict[str, float]:
    """Return learned inverse temperatures: exp of the scalar parameters named ``…logit_scale``."""
    return {
        f"{HEALTH}{TEMPERATURE}/{name}": math.exp(min(parameter.item(), 700))
        for name, parameter in method.named_parameters()
        if parameter.ndim == 0 and parameter.requires_grad and name.endswith("logit_scale")
    }


def over_chance(method: Any, losses: dict[str, float], batch_size: int) -> dict[str, float]:
    """Divide losses by their chance levels, if the method's ``chance_losses`` provides them."""
    levels = method.chance_losses(batch_size) if hasattr(method, "chance_losses") else {}
    return {
        f"{HEALTH}{OF_CHANCE}/{name}": losses[name] / level
        for name, level in levels.items()
        if name in losses and level > 0
    }


# --- warnings -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """A limit of a value, and the function ``text(value)`` that returns the warning if it is passed."""

    passed: Callable[[float], bool]
    text: Callable[[float], str]


LIMITS = {
    "prototype_share": Limit(
        lambda value: value < LEAST_PROTOTYPES,
        lambda value: (
            f"the prototypes have collapsed: {value:.1%} of those that could be in use are "
            f"(perplexity over the smaller of their number and that of distinct sentences), below "
            f"{LEAST_PROTOTYPES:.0%}"
        ),
    ),
    "image_likeness": Limit(
        lambda value: value > MOST_ALIKE,
        lambda value: (
            f"the local features of an image have collapsed: their mean cosine is {value:.4f}, "
            f"above {MOST_ALIKE:g}"
        ),
    ),
    "text_likeness": Limit(
        lambda value: value > MOST_ALIKE,
        lambda value: (
            f"the local features of texts have collapsed: the mean cosine between different texts is "
            f"{value:.4f}, above {MOST_ALIKE:g}"
        ),
    ),
    TEMPERATURE: Limit(
        lambda value: not SOFTEST <= value <= SHARPEST,
        lambda value: (
            f"the temperature runs away: 1/T is {value:.3g}, not between {SOFTEST:g} and {SHARPEST:g}"
        ),
    ),
}
"""Limits of the values in the history, by the value's name before any slash."""


def warnings_of(history: Sequence[dict[str, float]], schedule: Schedule) -> list[TrainingWarning]:
    """Return the warnings that follow from a history, the first of each kind."""
    found: dict[str, TrainingWarning] = {}
    for done in range(1, len(history) + 1):
        for kind, text in _seen(history[:done], schedule):
            found.setdefault(kind, TrainingWarning(kind, int(history[done - 1]["epoch"]), text))
    return list(found.values())


def _seen(history: Sequence[dict[str, float]], schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each problem at the end of a history."""
    for key, value in sorted(history[-1].items()):  # keys in a history file have a different order
        if not key.startswith(HEALTH):
            continue
        name = key.removeprefix(HEALTH)
        group, _, part = name.partition("/")
        if group in LIMITS and LIMITS[group].passed(value):
            yield name, LIMITS[group].text(value) + (f" ({part})" if part else "")
        elif group == OF_CHANCE and _is_stuck(history, key, schedule):
            yield (
                name,
                (
                    f"{part} has learned nothing: it has been at {value:.1%} of its chance level, the "
                    f"logarithm of the batch, for {PATIENCE} epochs"
                ),
            )
    yield from _fallen(history, schedule)


def _is_stuck(history: Sequence[dict[str, float]], name: str, schedule: Schedule) -> bool:
    last = [epoch.get(name, 0.0) for epoch in history[-PATIENCE:]]
    stage, before = _stage(len(history), schedule)
    warm = before + math.ceil(schedule.parts[stage].warmup_epochs)
    still = all(abs(value - 1) <= NOTHING_LEARNED for value in last)
    return still and len(history) - warm >= PATIENCE


def _fallen(history: Sequence[dict[str, float]], schedule: Schedule) -> Iterator[tuple[str, str]]:
    name, now = VALID + JUDGED, history[-1]
    stage, before = _stage(len(history), schedule)
    if not stage or name not in now or name not in history[before - 1]:
        return
    reached = history[before - 1][name]
    error = math.sqrt(max(reached * (1 - reached), 0) / now[f"{VALID}pairs"])
    if now[name] < reached - ERRORS * error:
        yield (
            f"retrieval_of_stage_{stage + 1}",
            (
                f"validation Recall@5 fell from {reached:.3f} at the end of stage {stage} to {now[name]:.3f} "
                f"in stage {stage + 1}, by more than {ERRORS:g} standard errors"
            ),
        )


def _stage(epoch: int, schedule: Schedule) -> tuple[int, int]:
    """Return the stage (from 0) of an epoch (from 1), and the number of epochs before the stage."""
    ends = [0, *schedule.ends]
    stage = next(i for i, end in enumerate(ends[1:]) if epoch <= end)
    return stage, ends[stage]
