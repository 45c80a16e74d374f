"""How long a plan takes on this machine, by what earlier runs on it took."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeGuard

from prior_bench import paths
from prior_bench.engine.clock import minutes
from prior_bench.errors import BenchError, NotGeneratedError
from prior_bench.io.bounded import json_text
from prior_bench.store.provenance import hardware
from prior_bench.store.store import Store

if TYPE_CHECKING:
    from prior_bench.suites.plan import Plan, PlannedRun

Kind = tuple[Any, ...]


@dataclass
class Expected:
    """What some runs of a plan take, one after the other.

    Attributes:
        trainings: the pre-trainings that come first, with their seconds; None where none like it is known.
        seconds: of the cells of which others of their kind have run here.
        unknown: number of the other cells.
    """

    trainings: dict[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0
    unknown: int = 0

    def lines(self) -> list[str]:
        """Say it in words; nothing where nothing is known and nothing comes first."""
        told = [
            f"first: pre-train {name}{'' if spent is None else f', about {minutes(spent)}'}"
            for name, spent in self.trainings.items()
        ]
        known = [spent for spent in self.trainings.values() if spent is not None]
        total, lacking = self.seconds + sum(known), len(self.trainings) - len(known)
        if total:
            counts = ((lacking, "pre-training"), (self.unknown, "cell"))
            without = " and ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts if count)
            without = without and f"; {without} of a kind that never ran here are not in it"
            told.append(f"about {minutes(total)} on this machine, by earlier runs in one process{without}")
        elif self.unknown:
            told.append("no estimate: nothing of these kinds has run on this machine")
        return told


def expected_time(plan: Plan, runs: Iterable[PlannedRun]) -> Expected:
    """Estimate the time of some runs of a plan from the records of this machine; nothing is trained.

    The seconds of a cell are the median of those of its kind: task, data, protocol, share of the labels and
    name of the row, or at least task, data and protocol.
    """
    found, earlier = Expected(), Earlier(paths.results_root())
    for run in runs:
        source: Any = plan.sources[run.spec.backbone["name"]]
        seed = run.spec.seed
        if hasattr(source, "is_made"):
            name = f"{source.name}, seed {seed}"
            if name not in found.trainings and not _is_made(source, seed, earlier.root / "pretrain"):
                found.trainings[name] = earlier.of_training(source.config.to_dict())
        seconds = earlier.of_cell(run.spec.to_dict())
        if seconds is None:
            found.unknown += 1
        else:
            found.seconds += seconds
    return found


def _is_made(source: Any, seed: int, folder: Path) -> bool:
    try:
        return bool(source.is_made(seed, folder))
    except NotGeneratedError:  # the data that it would be trained on are not there
        return False


class Earlier:
    """The runs and pre-trainings under a results root that this machine made.

    What they say is data: what is no number of seconds is passed over.
    """

    def __init__(self, root: Path):
        self.root = root
        self._machine = {name: hardware()[name] for name in ("cpu", "cores")}

    @cached_property
    def _cells(self) -> dict[Kind, list[float]]:
        seconds: dict[Kind, list[float]] = {}
        for folder in self.root.glob("*/runs"):
            try:
                records = Store(folder.parent).records().values()
            except BenchError:
                continue  # a store that is damaged, of which its own commands tell
            for record in records:
                machine, spent = record.provenance.get("hardware"), record.provenance.get("wall_seconds")
                here = isinstance(machine, dict) and self._machine.items() <= machine.items()
                if record.status == "done" and here and _is_time(spent):
                    for kind in _kinds(record.spec):
                        seconds.setdefault(kind, []).append(spent)
        return seconds

    def of_cell(self, spec: dict[str, Any]) -> float | None:
        """The median seconds of the cells of a kind; None without any."""
        return next((median(self._cells[kind]) for kind in _kinds(spec) if kind in self._cells), None)

    def of_training(self, config: dict[str, Any]) -> float | None:
        """The median seconds of the pre-trainings with a config, of any seed; None without any."""
        from prior_bench.pretraining.folder import HISTORY, RUN, noted

        wanted, seconds = json.loads(json.dumps(config)), []
        for note in sorted((self.root / "pretrain").glob(f"*/{RUN}")):
            try:
                if noted(note.parent).get("config") != wanted:
                    continue
                spent = [epoch["seconds"] for epoch in json.loads(json_text(note.parent / HISTORY))]
            except (BenchError, OSError, ValueError, TypeError, LookupError):
                continue  # it is damaged, which whoever uses it is told
            if spent and all(map(_is_time, spent)):
                seconds.append(sum(spent))
        return median(seconds) if seconds else None


def _kinds(spec: dict[str, Any]) -> list[Kind]:
    """The kinds of a cell, the narrowest first."""
    what = (str(spec["task"]), str(spec["data"].get("name")), str(spec["protocol"].get("name")))
    return [(*what, str(spec["backbone"].get("name")), str(spec["fraction"]), str(spec.get("shots"))), what]


def _is_time(seconds: Any) -> TypeGuard[float]:
    return isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds >= 0
