"""Move records from keys of earlier schemes to today's keys, if they are certainly the same.

A key of today is computed from the record itself: its spec, the fingerprint of its data, and the identity
of its weights. The last is the one thing that a record cannot give, since identities once held a hash of
source code; the source of the weights is asked whether it has the weights of the record
(:meth:`prior_bench.api.BackboneSource.confirms`).
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from prior_bench.api import LoadContext, RunRecord, RunSpec
from prior_bench.data.texts import prompts
from prior_bench.encoders.hub import without_hub
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_folder
from prior_bench.io.bounded import is_own_file, read_json
from prior_bench.io.plain import plain
from prior_bench.registry import BACKBONES, CORRUPTIONS, DATASETS, TASKS
from prior_bench.store.exchange import FILES
from prior_bench.store.store import RECORD, Store
from prior_bench.suites.keys import run_key, run_versions
from prior_bench.suites.resolve import make_source
from prior_bench.versions import finished_before

OF_WEIGHTS = ("identity", "backbone", "input", "parameters")
"""The part of a record's provenance that describes its weights."""

PLAIN_WORD = re.compile(r"[\w+-]*")
"""Arguments of a row that can be neither a file, nor a model of a hub, nor code."""


@dataclass
class Migration:
    """What happens to the records of a store.

    Attributes:
        current: keys that are today's.
        moved: new key by old key.
        left: reason by key of a record that stays as it is; it is still shown in tables.
    """

    current: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """Today's key and identity of a record."""

    key: str
    identity: str
    versions: dict[str, int]


class _Left(Exception):
    """The reason why a record keeps its old key."""


def migrate(store: Store, context: LoadContext, *, dry_run: bool = False, own: bool = False) -> Migration:
    """Move the records of a store to today's keys. Uncertain records stay, with the reason.

    A record is copied to its new key, complete or not at all; then the plan is given the new keys, and only
    then is the old folder removed. After a kill at any moment the same call continues.

    Args:
        store: whose records.
        context: where weights are found that have been pre-trained.
        dry_run: say what would happen, and write nothing.
        own: whether the records are the user's own, so that code, files and models of a hub that they name
            may be looked up. Otherwise, records that name any are left.

    Raises:
        BenchError: another process writes to the store.
    """
    if dry_run:
        return _sort(store, context, own)[0]
    with store.writing():
        result, places = _sort(store, context, own)
        for old, place in places.items():
            if store.get(place.key) is None:
                _copy(store, old, place)
        if cells := store.plan():
            store.save_plan([{**cell, "key": result.moved.get(cell["key"], cell["key"])} for cell in cells])
        for old in result.moved:
            shutil.rmtree(store.runs / old)
    return result


def _sort(store: Store, context: LoadContext, own: bool) -> tuple[Migration, dict[str, _Place]]:
    result, places = Migration(), {}
    records = store.records()
    confirmed: dict[str, tuple[str, str]] = {}
    taken = {key: record.provenance.get("migrated_from") for key, record in records.items()}
    newest = sorted(records.values(), key=lambda record: str(record.provenance.get("finished")), reverse=True)
    for record in newest:
        try:
            place = _place(record, context, confirmed, own)
        except _Left as reason:
            result.left[record.key] = str(reason)
            continue
        if place.key == record.key:
            result.current.append(record.key)
        elif place.key in taken and taken[place.key] != record.key:
            result.left[record.key] = f"{place.key} holds a newer record of the same run"
        else:
            taken[place.key] = record.key
            result.moved[record.key], places[record.key] = place.key, place
    return result, places


def _place(
    record: RunRecord, context: LoadContext, confirmed: dict[str, tuple[str, str]], own: bool
) -> _Place:
    provenance = record.provenance
    if record.status != "done":
        raise _Left("it failed, and is run again anyway")
    missing = [name for name in ("identity", "data_fingerprint", "finished") if not provenance.get(name)]
    if missing:
        raise _Left(f"its provenance lacks {', '.join(missing)}")
    if not own and (named := _looked_up(record.spec)):
        raise _Left(
            f"it names {named}, which nothing here looks up because a record says so; if it is yours: --own"
        )
    try:
        spec = RunSpec(**record.spec)
        versions = run_versions(spec)
    except (BenchError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise _Left(f"its spec cannot be resolved today: {error}") from error
    declared = provenance.get("declared_versions")
    if declared is not None:
        changed = [name for name in versions if versions[name] != declared.get(name, 1)]
        why = f"its version of {changed[0]} is not today's" if changed else ""
    else:
        why = finished_before(str(provenance["finished"]), versions)
    if why:
        raise _Left(why)
    question = json.dumps([spec.backbone, spec.seed, *map(provenance.get, OF_WEIGHTS)], sort_keys=True)
    if question not in confirmed:
        with contextlib.nullcontext() if own else without_hub():
            confirmed[question] = _identity(spec, provenance, context)
    identity, why = confirmed[question]
    if why:
        raise _Left(why)
    return _Place(run_key(spec, identity, provenance["data_fingerprint"], versions), identity, versions)


def _looked_up(spec: dict[str, Any]) -> str:
    """What a spec names that may be code, a file or a model of a hub; empty if it names registered things."""
    options = spec["protocol"].get("options", {})
    corruptions = options.get("corruptions") or ()
    named = [
        (TASKS, spec["task"]),
        (BACKBONES, spec["backbone"].get("type")),
        (DATASETS, spec["data"].get("type")),
    ]
    named += [(CORRUPTIONS, name) for name in (corruptions if isinstance(corruptions, list) else ())]
    for registry, name in named:
        if registry.registered(str(name)) is None:
            return f"the {registry.name} '{name}', which is not registered"
    if isinstance(given := options.get("prompts"), str) and given not in prompts.names():
        return f"the prompts '{given}'"
    row = {name: value for name, value in spec["backbone"].items() if name not in ("name", "type")}
    return next((f"'{text}'" for text in _texts(row) if not PLAIN_WORD.fullmatch(text)), "")


def _texts(value: Any) -> Iterator[str]:
    """All texts in a value, except the names of keys."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _identity(spec: RunSpec, provenance: dict[str, Any], context: LoadContext) -> tuple[str, str]:
    """Today's identity of a record's weights, or the reason why it is unknown."""
    try:
        source = make_source(spec.backbone, check=False)
        today = source.identity(spec.seed)
        if today == provenance["identity"]:
            return today, ""
        if not hasattr(source, "confirms"):
            return (
                "",
                f"weights of type '{spec.backbone['type']}' cannot be compared with those of the record",
            )
        return today, source.confirms(spec.seed, provenance, context)
    except (BenchError, OSError) as error:
        return "", f"its weights cannot be identified: {error}"


def _copy(store: Store, old: str, place: _Place) -> None:
    folder = store.runs / old
    values = read_json(folder / RECORD)
    values["key"] = place.key
    values["provenance"] |= {
        "migrated_from": old,
        "identity": place.identity,
        "declared_versions": place.versions,
    }
    with whole_folder(store.runs / place.key, durable=True) as fresh:
        for name in FILES:
            if name != RECORD and is_own_file(folder / name):
                shutil.copyfile(folder / name, fresh / name)
        (fresh / RECORD).write_text(json.dumps(plain(values), indent=1), "utf-8")
