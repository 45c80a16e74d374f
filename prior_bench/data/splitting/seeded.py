"""Names of splits that depend on the seed of a run: folds, and draws that each seed makes anew.

A protocol asks for them with ``split=dict(rule="prior", by_seed=True)``. The data set is then opened under
the rule's name with the seed, ``prior:3``. Such a rule has the parameter ``draw``, the number of the fold or
draw; the name alone stands for 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

DRAWS = 5
"""Folds or draws that the papers use, numbered from 0."""


def split_name(split: Mapping[str, Any], seed: int) -> str:
    """Return the name under which a data set is opened for a run.

    Args:
        split: the ``split`` of its protocol.
        seed: its seed.
    """
    rule = str(split.get("rule", "default"))
    return f"{rule}:{seed}" if split.get("by_seed") else rule


def different_splits(split: Mapping[str, Any], seeds: Sequence[int]) -> list[int]:
    """Return one seed for each different split: all seeds, or the first one if they share a split."""
    return list(seeds) if split.get("by_seed") else list(seeds[:1])


def rule_and_draw(name: str) -> tuple[str, int | None]:
    """Return the rule of a split's name and the number of the fold or draw; None if it names no number."""
    rule, _, number = name.rpartition(":")
    return (rule, int(number)) if rule and number.isdecimal() else (name, None)
