"""Check a bundle: is it sound, and which of its numbers follow from the predictions in it?

*Sound* means: form and hashes are right, the key of each record is the hash of its own settings, values are
numbers that the metric can have, and no path of a machine is named. *Verified* means: the numbers were
computed again from the enclosed predictions, and are the same. Predictions themselves can be made up, which
no check of a file finds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prior_bench.api import Metric, RunRecord, RunSpec, find_metric
from prior_bench.errors import BenchError
from prior_bench.io.bounded import read_json
from prior_bench.leaderboard.environments import environments
from prior_bench.leaderboard.layout import arrays_sha256
from prior_bench.leaderboard.opening import OpenBundle, open_bundle
from prior_bench.leaderboard.recomputing import Recomputed, recompute
from prior_bench.leaderboard.shareable import (
    NAMED_SAMPLES,
    PLACE,
    is_generated,
    is_numbered,
    paths_in,
    shareable_arrays,
)
from prior_bench.schema.bundle import BundledRecord, BundleStatement
from prior_bench.store.descriptions import of_records
from prior_bench.store.store import RECORD
from prior_bench.suites.keys import run_key

ROUNDING = 1e-9
"""How far a value may be outside the bounds of its metric."""


@dataclass
class CheckedBundle:
    """A bundle and what its check found.

    Attributes:
        opened: the unpacked bundle.
        records: its readable records by key.
        problems: why it is not sound; empty if it is.
        recomputed: what came of computing the numbers of a record again, by key.
    """

    opened: OpenBundle
    records: dict[str, RunRecord] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    recomputed: dict[str, Recomputed] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems

    @property
    def verified(self) -> int:
        """The number of records whose numbers were computed again and are the same."""
        return sum(found.verified for found in self.recomputed.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain types, for JSON."""
        return {
            "file": self.opened.file,
            "title": self.opened.statement.title,
            "sha256": self.opened.sha256,
            "sound": self.sound,
            "problems": self.problems,
            "records": len(self.records),
            "verified": self.verified,
            "unverified": {k: found.why for k, found in self.recomputed.items() if not found.verified},
        }


def check_bundle(path: str | Path) -> CheckedBundle:
    """Check a bundle in a temporary folder, which is gone afterwards.

    Raises:
        BenchError: the file is no bundle at all.
    """
    with TemporaryDirectory() as folder:
        return check_opened(open_bundle(Path(path), Path(folder)))


def check_opened(opened: OpenBundle) -> CheckedBundle:
    """Check an unpacked bundle; everything that is wrong is listed, not only the first."""
    found = CheckedBundle(opened, problems=list(opened.problems))
    found.problems += [f"bundle.json: {key}: names a path" for key in paths_in(_said(opened.statement))]
    for name, card in opened.cards.items():
        found.problems += [f"card of '{name}': {key}: names a path" for key in paths_in(card.model_dump())]
    for listed in opened.statement.records:
        problems, record = _check_record(opened, listed)
        found.problems += [f"{listed.key}: {problem}" for problem in problems]
        if record is None:
            continue
        found.records[listed.key] = record
        again = _predictions(opened, listed, record)
        found.recomputed[listed.key] = again
        found.problems += [f"{listed.key}: {problem}" for problem in again.problems]
    rows = {record.spec["backbone"]["name"] for record in found.records.values()}
    for name in sorted(rows ^ set(opened.cards)):
        found.problems.append(f"row '{name}': has no {'card' if name in rows else 'record'}")
    made_by = environments({"provenance": record.provenance} for record in found.records.values())
    if made_by != [one.model_dump() for one in opened.statement.environments]:
        found.problems.append("bundle.json: environments: are not those of the records")
    return found


def _said(statement: BundleStatement) -> dict[str, Any]:
    """Return what a statement says, without the names of members."""
    return {name: value for name, value in statement if name not in ("members", "rows", "environments")} | {
        "rows": [row.name for row in statement.rows],
        "environments": [one.model_dump() for one in statement.environments],
        "records": [record.key for record in statement.records],
    }


def _check_record(opened: OpenBundle, listed: BundledRecord) -> tuple[list[str], RunRecord | None]:
    """Return what is wrong with a record, and the record if it can be read."""
    try:
        record = opened.store.read(listed.key)
        raw = read_json(opened.store.runs / listed.key / RECORD)
    except FileNotFoundError:
        return [], None  # the hashes have named it
    except BenchError as error:
        where = f"{error.where}: " if isinstance(error.where, str) else ""
        return [f"unreadable record: {where}{error.what}"], None
    problems = [f"{key}: names a path" for key in paths_in(raw)]
    if record.status != "done":
        problems.append("is a record of a failed run")
    if record.provenance.get("rehearsal"):
        problems.append("is a rehearsal, whose numbers mean nothing")
    root = record.spec["data"].get("root", "")
    if not is_generated(root) and root != PLACE:
        problems.append("spec.data.root: names a place")
    if is_generated(root) != record.synthetic:
        problems.append(f"synthetic: is {str(record.synthetic).lower()}, and its data set says otherwise")
    if not record.metrics:
        problems.append("has no metric")
    return [*problems, *_wrong_key(record), *_out_of_bounds(record)], record


def _wrong_key(record: RunRecord) -> list[str]:
    """Return why the key is not that of the record's own settings; empty if it is."""
    provenance = record.provenance
    missing = [name for name in ("identity", "data_fingerprint") if not provenance.get(name)]
    if provenance.get("declared_versions") is None:
        missing.append("declared_versions")
    if missing:
        return [f"its key cannot be computed: it lacks {', '.join(missing)} (prior-bench results migrate)"]
    try:
        spec = RunSpec(**record.spec)
        key = run_key(
            spec, provenance["identity"], provenance["data_fingerprint"], provenance["declared_versions"]
        )
    except (BenchError, TypeError, ValueError, KeyError, AttributeError) as error:
        return [f"its key cannot be computed: {str(error).splitlines()[0][:200]}"]
    return [] if key == record.key else [f"its key is not that of its settings, which is {key}"]


def _out_of_bounds(record: RunRecord) -> list[str]:
    """Return the values that their metric cannot have. NaN stands for a value that is undefined."""
    described = of_records(record.spec["task"], [record.about]).metrics
    problems = []
    named = {"metrics": record.metrics, **{f"trivial.{k}": v for k, v in record.trivial.items()}}
    for place, values in named.items():
        for name, value in values.items():
            metric = find_metric(described, name)
            if metric is None or math.isnan(value):
                continue
            if not _within(value, metric):
                lower, upper = metric.bounds
                problems.append(f"{place}.{name}: is {value:.6g}, outside {lower} to {upper}")
    return problems


def _within(value: float, metric: Metric) -> bool:
    lower, upper = metric.bounds
    return (lower is None or value >= lower - ROUNDING) and (upper is None or value <= upper + ROUNDING)


def _predictions(opened: OpenBundle, listed: BundledRecord, record: RunRecord) -> Recomputed:
    """Compare the predictions of a record with their hash, and its numbers with them."""
    if not listed.enclosed:
        return Recomputed(
            why="no predictions are enclosed" if listed.predictions_sha256 else "the run predicted nothing"
        )
    try:
        arrays = opened.store.predictions(listed.key)
    except BenchError as error:
        return Recomputed(why="damaged predictions", problems=[error.what])
    if arrays_sha256(arrays) != listed.predictions_sha256:
        return Recomputed(why="other predictions", problems=["its predictions are not those of the hash"])
    if problem := _telling(arrays):
        return Recomputed(why="names of patients or images", problems=[problem])
    return recompute(record, arrays)


def _telling(arrays: Mapping[str, Any]) -> str:
    """Return which arrays hold names of patients or images, or other texts; empty if none does."""
    named = [name for name in NAMED_SAMPLES if name in arrays and not is_numbered(arrays[name])]
    named += sorted(set(arrays) - set(shareable_arrays(arrays)))
    return f"its predictions hold names or texts ({', '.join(named)})" if named else ""
