"""Contradictions between bundles: one key with several numbers, one name for several rows, other truths."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.leaderboard.checking import CheckedBundle
from prior_bench.leaderboard.entries import Contributor
from prior_bench.leaderboard.layout import arrays_sha256
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.store.exchange import difference

TRUTH = ("id", "patient_id", "image_id", "target")
"""Arrays that do not depend on the method; those of boxes are ``truth_…``."""


@dataclass(frozen=True)
class Conflict:
    """A contradiction.

    Attributes:
        text: what contradicts what.
        rows: slugs of the rows that it is about.
        disputed: whether numbers are in doubt; otherwise only names are shared.
    """

    text: str
    rows: tuple[str, ...]
    disputed: bool = True


def conflicts(rows: Iterable[Contributor]) -> list[Conflict]:
    """Return all contradictions between the bundles of some rows, in a fixed order."""
    rows = list(rows)
    found = [*_of_keys(rows), *_of_names(rows), *_of_truths(rows)]
    return sorted(dict.fromkeys(found), key=lambda conflict: (conflict.text, conflict.rows))


def test_samples_of(run: FinishedRun) -> tuple[str, str, str]:
    """Return fingerprint of the data, hash of the split and hash of the true labels of a run.

    Only runs for which all three are the same have the same test samples. The last is empty without
    predictions.
    """
    fingerprint = str(run.record.provenance.get("data_fingerprint", ""))
    split = str(run.record.split.get("hash", ""))
    try:
        arrays = load_predictions(run.store.root, run.key)
    except BenchError:
        return fingerprint, split, ""
    order = np.argsort(arrays["id"], kind="stable") if "id" in arrays else slice(None)
    truth = {name: arrays[name][order] for name in TRUTH if name in arrays}
    truth |= {name: array for name, array in arrays.items() if name.startswith("truth_")}
    return fingerprint, split, arrays_sha256(truth)[:16]


def _of_keys(rows: list[Contributor]) -> list[Conflict]:
    """One key stands for one run, so that its numbers must be the same everywhere."""
    by_key: dict[str, list[tuple[Contributor, FinishedRun]]] = {}
    for row in rows:
        for run in row.runs:
            by_key.setdefault(run.key, []).append((row, run))
    found = []
    for key, several in by_key.items():
        (row, run), *others = several
        for other, theirs in others:
            here, there = f"in {_title(row.bundle)}", f"in {_title(other.bundle)}"
            if differs := difference(run.record, theirs.record, here, there):
                text = f"record {key}: {differs}"
                found.append(Conflict(text, (row.slug, other.slug)))
    return found


def _of_names(rows: list[Contributor]) -> list[Conflict]:
    by_name: dict[str, list[Contributor]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    found = []
    for name, several in by_name.items():
        if len(several) > 1:
            same = len({_weights(row) for row in several}) == 1
            titles = "; ".join(_title(row.bundle) for row in several)
            text = f"row '{name}' is in {len(several)} bundles, {_of(same)} weights ({titles})"
            found.append(Conflict(text, tuple(row.slug for row in several), disputed=False))
    return found


def _of_truths(rows: list[Contributor]) -> list[Conflict]:
    """Predictions for the same test images must hold the same true labels."""
    first: dict[tuple[str, ...], tuple[str, Contributor]] = {}
    found = []
    for row in rows:
        for run in row.runs:
            fingerprint, split, truth = test_samples_of(run)
            if not truth:
                continue
            place = (run.spec["task"], fingerprint, split)
            known, other = first.setdefault(place, (truth, row))
            if known != truth:
                text = f"the true labels of {run.spec['data']['name']} (split {split}) differ between "
                text += f"{_title(other.bundle)} and {_title(row.bundle)}"
                found.append(Conflict(text, (other.slug, row.slug)))
    return found


def _weights(row: Contributor) -> frozenset[str]:
    return frozenset(str(run.record.provenance.get("identity", "")) for run in row.runs)


def _of(same: bool) -> str:
    return "of the same" if same else "of other"


def _title(bundle: CheckedBundle) -> str:
    return f"{bundle.opened.statement.title}, {bundle.opened.sha256[:8]}"


def conflicting(found: Iterable[Conflict]) -> dict[str, list[str]]:
    """Return the texts of the conflicts that a row is in, by its slug."""
    by_row: dict[str, list[str]] = {}
    for conflict in found:
        for slug in dict.fromkeys(conflict.rows):
            by_row.setdefault(slug, []).append(conflict.text)
    return by_row
