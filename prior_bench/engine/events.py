"""What a runner tells while it works."""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.errors import BenchError


@dataclass(frozen=True)
class Event:
    """What has just happened.

    Attributes:
        kind: ``"loading"``, ``"loaded"``, ``"finished"`` or ``"failed"``; ``"claimed"`` if another process
            has the run, ``"recorded"`` if another process has done it.
        key: of the run.
        seconds: that it took.
        text: for the progress line; of a claimed run, who has it.
    """

    kind: str
    key: str
    seconds: float = 0.0
    text: str = ""


class RanksEnded(BenchError):
    """One of several processes that share a run has ended, or does not answer; nothing is recorded."""


class LostClaim(Exception):
    """Another host has seen no heartbeat of this process for long, and has taken over its run."""
