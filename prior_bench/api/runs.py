"""Runs: one cell of a suite before and after it was evaluated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunSpec:
    """One cell of a suite before it is run: resolved, hashable, free of objects.

    Attributes:
        backbone: config of the row: ``name``, ``type`` (in BACKBONES) and its arguments.
        task: registered task.
        data: data reference, resolved (see :func:`prior_bench.data.open.resolve`).
        protocol: the protocol, resolved, as plain types.
        fraction, seed: see RunContext.
    """

    backbone: dict[str, Any]
    task: str
    data: dict[str, Any]
    protocol: dict[str, Any]
    fraction: float = 1.0
    seed: int = 0


@dataclass
class RunRecord:
    """One cell after it was run (or has failed), as stored.

    Attributes:
        key: hash of what determines the outcome; names the record.
        status: ``"done"`` or ``"failed"``.
        spec: the RunSpec, as plain types.
        metrics, trivial, history, split, undefined: from TaskResult.
        about: what the task said of itself when it was run, as plain data
            (:mod:`prior_bench.store.descriptions`), for readers who do not have the task.
        error: message of a failed run.
        provenance: versions, git revision, hardware, op provider, wall time, command, checkpoint hash.
        synthetic: whether the data came from the sample benchmark.
    """

    key: str
    status: str
    spec: dict[str, Any]
    metrics: dict[str, float] = field(default_factory=dict)
    trivial: dict[str, dict[str, float]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)
    split: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)
    synthetic: bool = False
    undefined: dict[str, str] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    schema: int = 1
