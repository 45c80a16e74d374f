"""Signs of a training that has gone wrong, and the warnings that are made of them; they stop nothing.

Values stand in the history of a run, by epoch; warnings are a function of the history alone, so that a run
that was killed and continued has those of an undisturbed one. docs/pretraining.md says how to read them.
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
"""Before the names of these values in the history."""
TEMPERATURE = "inverse_temperature"
"""With a slash and the parameter's name behind it."""
OF_CHANCE = "loss_over_chance"
"""With a slash and the loss's name behind it: the loss as a share of what it is where nothing is learned."""

LEAST_PROTOTYPES = 0.1
"""Least share of the prototypes in use: perplexity over the smaller of K and the distinct sentences."""
MOST_ALIKE = 0.99
"""Largest mean cosine between local features of one image, and between those of different texts."""
SHARPEST, SOFTEST = 110.0, 1.0
"""Largest and least inverse temperature. CLIP stops at 100; methods that start there may pass it a little."""
NOTHING_LEARNED = 0.01
"""A loss learns nothing that stays so near to its chance level, as a share of it,"""
PATIENCE = 5
"""for so many epochs of a stage, warm-up not counted. A healthy local loss may need four to get going."""
ERRORS = 2.0
"""Standard errors by which retrieval has to fall below that of an earlier stage's end."""
JUDGED = "recall_at_5"
"""The retrieval metric that is compared between stages."""


class TrainingWarning(NamedTuple):
    """Something that looks wrong.

    Attributes:
        kind: there is at most one warning of a kind in a run.
        epoch: in which it was first seen, from 1.
        text: what was seen.
    """

    kind: str
    epoch: int
    text: str

    def __str__(self) -> str:
        return f"epoch {self.epoch}: {self.text}"


# --- values ---------------------------------------------------------------------------------------------


def likeness_within(local: Tensor, mask: Tensor | None = None) -> Tensor:
    """Mean cosine between different local features of the same image: [B, N, D] to [B]; NaN below two.

    Args:
        mask: bool [B, N], False on padding.
    """
    unit, count = _unit(local, mask)
    return (unit.sum(1).square().sum(-1) - count) / (count * (count - 1))


class LikenessAcross:
    """Mean cosine between local features of different texts, each with each, gathered batch by batch."""

    def __init__(self) -> None:
        self._sums: list[Tensor] = []
        self._counts: list[Tensor] = []

    def add(self, local: Tensor, mask: Tensor | None = None) -> None:
        """Local features [B, S, D] of B texts, and bool [B, S], False on padding."""
        unit, count = _unit(local, mask)
        self._sums.append(unit.sum(1))
        self._counts.append(count)

    def mean(self) -> float:
        """The mean; NaN with fewer than two texts that have local features."""
        if not self._sums:
            return math.nan
        sums, counts = torch.cat(self._sums), torch.cat(self._counts)
        cosines = sums.sum(0).square().sum() - sums.square().sum()
        pairs = counts.sum().square() - counts.square().sum()
        return (cosines / pairs).item()


def _unit(local: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Features of length 1, 0 on padding, and their number by row, in double precision."""
    mask = torch.ones_like(local[..., 0], dtype=torch.bool) if mask is None else mask
    # masked, not multiplied: padding may hold anything
    unit = F.normalize(local.double(), dim=-1).masked_fill(~mask[..., None], 0)
    return unit, mask.sum(1).double()


def temperatures(method: Any) -> dict[str, float]:
    """Learned inverse temperatures, of scalar parameters named ``…logit_scale`` that hold their logarithm."""
    return {
        f"{HEALTH}{TEMPERATURE}/{name}": math.exp(min(parameter.item(), 700))
        for name, parameter in method.named_parameters()
        if parameter.ndim == 0 and parameter.requires_grad and name.endswith("logit_scale")
    }


def over_chance(method: Any, losses: dict[str, float], batch_size: int) -> dict[str, float]:
    """Losses as shares of their chance level, where the method knows it (``chance_losses``)."""
    levels = method.chance_losses(batch_size) if hasattr(method, "chance_losses") else {}
    return {
        f"{HEALTH}{OF_CHANCE}/{name}": losses[name] / level
        for name, level in levels.items()
        if name in losses and level > 0
    }


# --- warnings -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """A limit of a value: what is said where it is passed, by ``text(value)``."""

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
"""Limits of the values in the history, by name or by its part before a slash."""


def warnings_of(history: Sequence[dict[str, float]], schedule: Schedule) -> list[TrainingWarning]:
    """The warnings that a history gives rise to: of each kind the first."""
    found: dict[str, TrainingWarning] = {}
    for done in range(1, len(history) + 1):
        for kind, text in _seen(history[:done], schedule):
            found.setdefault(kind, TrainingWarning(kind, int(history[done - 1]["epoch"]), text))
    return list(found.values())


def _seen(history: Sequence[dict[str, float]], schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Kinds and texts of what looks wrong at the end of a history."""
    for key, value in sorted(history[-1].items()):  # files of a history have another order of keys
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
    """The stage, from 0, of an epoch, from 1, and the epochs before the stage."""
    ends = [0, *schedule.ends]
    stage = next(i for i, end in enumerate(ends[1:]) if epoch <= end)
    return stage, ends[stage]
