"""What stands beside a board: published numbers that are comparable, and the shipped protocol of its name."""

from __future__ import annotations

from functools import cache

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.leaderboard.entries import Board, settings_of
from prior_bench.report.published.comparable import mismatches
from prior_bench.report.published.numbers import Published, load_published
from prior_bench.suites import protocols


def published_beside(board: Board) -> list[Published]:
    """Return the shipped published numbers that are comparable with a board.

    Data set, split, label fraction, frozen or not, and metric are the same
    (:mod:`prior_bench.report.published.comparable`). Those of synthetic data never are.
    """
    if board.synthetic:
        return []
    spec = {**board.spec, "protocol": {"split": {}, "frozen": {}, **board.spec["protocol"]}}
    return [
        number
        for number in _shipped()
        if number.family == spec["task"] and not mismatches(spec, board.metric, number)
    ]


def protocol_note(board: Board) -> str:
    """Return whether the settings of a board are those of the protocol that this version has by its name."""
    name = board.spec["protocol"]["name"]
    if name not in protocols.names():  # a record never names a file to load
        return f"This version of prior-bench has no protocol named '{name}'."
    try:
        ours = settings_of(protocols.load(name).to_dict())
    except BenchError:
        return f"The protocol '{name}' of this version cannot be read."
    theirs = settings_of(board.spec["protocol"])
    changed = sorted(key for key in {*ours, *theirs} if ours.get(key) != theirs.get(key))
    if not changed:
        return "All settings are those of the protocol that prior-bench has by this name."
    return f"Other settings than prior-bench has under this name: {', '.join(changed)}."


@cache
def _shipped() -> list[Published]:
    """Return the numbers of this package alone, so that a site does not depend on who builds it."""
    return load_published([paths.shipped("results/published")])
