"""Leakage: were the patients of a test split seen in pre-training, or in the evaluation's own training?

Patients are compared where the identifiers allow it: within one space of identifiers (:func:`patient_space`).
Nothing about patients is stored anywhere: who was trained on is read again from the data set that the
pre-training config names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.api import BackboneSource, Task
from prior_bench.data.cards import card
from prior_bench.data.generated import generated
from prior_bench.data.open import read_manifest
from prior_bench.data.recorded import check_reader
from prior_bench.data.references import resolve
from prior_bench.data.splitting.seeded import split_name
from prior_bench.errors import BenchError
from prior_bench.io.plain import plain
from prior_bench.registry import TASKS

if TYPE_CHECKING:
    from prior_bench.data.manifest import Manifest
    from prior_bench.suites.plan import DataSets, PlannedRun

FIX = (
    "test on other patients; or say --allow-leakage, or allow_leakage = True in the suite: tables then say so"
)


@dataclass(frozen=True)
class Leak:
    """Evidence that a test split was seen in training.

    Attributes:
        text: a clause: who was seen, and where.
        certain: the patients were found in both, and an evaluation is refused; else it is a remark only.
    """

    text: str
    certain: bool = True


def find_leaks(
    runs: list[PlannedRun],
    sources: dict[str, BackboneSource],
    data_sets: DataSets,
    allowed: bool,
    errors: list[BenchError],
) -> list[PlannedRun]:
    """Add the known leaks to the runs. Leaks that are not allowed are also added to the errors."""
    found: dict[tuple[str, ...], tuple[str, ...]] = {}
    checked = []
    for run in runs:
        spec = run.spec
        name, rule = spec.backbone["name"], split_name(spec.protocol["split"], spec.seed)
        key = (name, spec.task, _key(spec.data), rule)
        task = TASKS.get(spec.task)
        if run.key and key not in found and task.needs:  # else it looks at no patient
            manifest = data_sets.open(spec.data, spec.protocol, spec.seed)
            own = leaks_of_training(task, manifest)
            earlier = leaks_of_pretraining(sources[name], spec.data, manifest)
            found[key] = tuple(leak.text for leak in own + earlier)
            if not allowed:
                place = f"{manifest.name}, rule '{rule}'"
                errors += _refusals(own, place) + _refusals(earlier, f"backbone '{name}' on {place}")
        checked.append(replace(run, leaks=found.get(key, ())))
    return checked


def leaks_of_training(task: Task | type[Task], manifest: Manifest) -> list[Leak]:
    """Test patients that the evaluation itself trains on; tasks that use only texts train on none."""
    if task.needs_text:
        return []
    return _shared(
        _patients(manifest, ("test",)), _patients(manifest, ("train",)), "are in the training split"
    )


def leaks_of_pretraining(source: BackboneSource, data: dict[str, Any], manifest: Manifest) -> list[Leak]:
    """Test patients that a backbone was pre-trained on.

    Args:
        source: of the weights; see ``training_data`` and ``known_exposure`` of
            :class:`prior_bench.api.BackboneSource`.
        data: reference of the evaluated data set, resolved.
        manifest: the evaluated data set.
    """
    space, test = patient_space(data), _patients(manifest, ("test",))
    if not test:
        return []
    found = [Leak(fact, certain=False) for other, fact in _exposure(source) if other == space]
    for trained in _training_data(source):
        try:
            reference = resolve(trained["dataset"])
        except BenchError:
            continue  # of a kind that is not known here, so that it cannot be the evaluated one
        try:
            check_reader(reference, "the weights")
        except BenchError:
            remark = "the data of pre-training cannot be looked at (their reader is not registered)"
            found.append(Leak(remark, certain=False))
            continue
        if patient_space(reference) != space:
            continue
        splits = tuple(trained.get("splits", ("train",)))
        try:
            seen = _seen(_key(reference), trained.get("split_rule", "default"), splits)
        except BenchError as error:
            found.append(Leak(f"the data of pre-training cannot be looked at ({error.what})", certain=False))
        else:
            found += _shared(test, seen, f"were seen in pre-training on {reference['name']}")
    return found


def patient_space(reference: dict[str, Any]) -> str:
    """Name of the identifier space: patient identifiers are comparable only within one space.

    It is the card's ``patients``, or else the data set's type; a CSV file's identifiers are its own, and
    synthetic patients are nobody's: all generators share one space.

    Args:
        reference: resolved data reference.
    """
    kind, root = reference["type"], str(reference["root"])
    if kind == "csv":
        return f"csv {Path(root).resolve()}"
    found = card(kind)
    space = (found.patients if found else "") or kind
    return f"synthetic {space}" if generated(root) else space


def exposure_of(source: BackboneSource) -> dict[str, Any]:
    """Whose patients a backbone has seen, as plain types: ``training_data`` and ``known_exposure``."""
    known = {"training_data": list(_training_data(source)), "known_exposure": list(_exposure(source))}
    return plain({name: value for name, value in known.items() if value})


def _refusals(leaks: list[Leak], where: str) -> list[BenchError]:
    return [BenchError(leak.text, where=where, fix=FIX) for leak in leaks if leak.certain]


def _training_data(source: BackboneSource) -> Iterable[dict[str, Any]]:
    """Training data as declared by a source, or by the config of one that is trained here."""
    if hasattr(source, "training_data"):
        return source.training_data()
    config = getattr(source, "config", None)
    data = getattr(config, "data", None)
    if config is None or data is None:
        return []
    splits = getattr(config, "seen_splits", data.splits)
    return [{"dataset": data.dataset, "split_rule": data.split_rule, "splits": splits}]


def _exposure(source: BackboneSource) -> Iterable[tuple[str, str]]:
    return source.known_exposure() if hasattr(source, "known_exposure") else ()


def _key(reference: dict[str, Any]) -> str:
    return json.dumps(plain({k: v for k, v in reference.items() if k != "cache"}), sort_keys=True)


@lru_cache(maxsize=8)  # a plan asks for each row and evaluation
def _seen(reference: str, rule: str, splits: tuple[str, ...]) -> frozenset[str]:
    return _patients(read_manifest(json.loads(reference), rule), splits)


def _patients(manifest: Manifest, splits: tuple[str, ...]) -> frozenset[str]:
    rows = manifest.table["split"].isin(splits)
    return frozenset(manifest.table.loc[rows, "patient_id"].astype(str))


def _shared(test: frozenset[str], seen: frozenset[str], where: str) -> list[Leak]:
    shared = len(test & seen)
    return [Leak(f"{shared:,} of {len(test):,} test patients {where}")] if shared else []
