"""Runs: one cell of a suite before and after its evaluation."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunSpec:
    """One cell of a suite before it is run: all names resolved, only plain types.

    Attributes:
        backbone: config of the row: ``name``, ``type`` (in BACKBONES) and the arguments of that type.
        task: name of a registered task.
        data: resolved data reference (see :func:`prior_bench.data.references.resolve`).
        protocol: resolved protocol, as plain types.
        fraction, seed, shots: see :class:`prior_bench.api.RunContext`.
    """

    backbone: dict[str, Any]
    task: str
    data: dict[str, Any]
    protocol: dict[str, Any]
    fraction: float = 1.0
    seed: int = 0
    shots: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The spec as plain types, for JSON; ``shots`` only where they are given."""
        values = asdict(self)
        if self.shots is None:
            del values["shots"]
        return values


@dataclass
class RunRecord:
    """One cell after its run has finished or failed, as it is stored.

    Attributes:
        key: hash of everything that determines the outcome; the name of the record.
        status: ``"done"`` or ``"failed"``.
        spec: the RunSpec, as plain types.
        metrics, trivial, history, split, undefined: see :class:`prior_bench.api.TaskResult`.
        about: description of the task at the time of the run, as plain data
            (:mod:`prior_bench.store.descriptions`), for installations that do not have the task.
        error: error message of a failed run.
        provenance: versions, git revision, hardware, provider of mmcv's operators, wall time, command,
            hash of the checkpoint.
        synthetic: whether the data come from the sample benchmark.
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
