"""How our readers, split rules and samplers of label fractions treat the drawn annotation files.

The inputs of a fixture (``given``) are ``files``, a kind of :data:`tasks.parity.drawn_annotations.KINDS`;
``suite``, the suite whose evaluation under the protocol says how the data set is read; and, for label
fractions, ``fractions`` and ``seed``, the seed of the run. Lists of ids are compared by number, first ids and
a hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prior_bench.api import Protocol
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.data.open import open_dataset
from prior_bench.data.references import resolve
from prior_bench.data.splitting.fractions import training_part, validation_part
from prior_bench.protocol_parity.ingredients import Values, suite_of

from . import drawn_annotations

SHOWN = 3
"""Number of ids that are compared one by one, so that a reader sees some."""


def split(protocol: Protocol, given: Values) -> Values:
    """Return the images of each split, in their order."""
    data = manifest(protocol, given)
    found: Values = {}
    for part in SPLITS:
        rows = data.select((data.table["split"] == part).to_numpy())
        found |= {f"{part}: {name}": value for name, value in listed(bare_ids(rows)).items()}
    return found


def labels(protocol: Protocol, given: Values) -> Values:
    """Return the classes in alphabetical order, and the targets of each split, sorted by id."""
    data = manifest(protocol, given)
    found: Values = {"classes": sorted(data.labels)}
    for part in SPLITS:
        rows = data.select((data.table["split"] == part).to_numpy())
        found |= {f"{part}: {name}": value for name, value in targets_of(rows).items()}
    return found


def label_fraction(protocol: Protocol, given: Values) -> Values:
    """Return the training and validation images of each label fraction, sorted."""
    data = manifest(protocol, given)
    parts = {part: data.split(part) for part in ("train", "valid")}
    found: Values = {}
    for fraction in given["fractions"]:
        how = protocol.fraction_sampler
        drawn = {
            "train": training_part(parts["train"], how, fraction, given["seed"]),
            "valid": validation_part(parts["valid"], how, fraction),
        }
        for part, rows in drawn.items():
            ids = listed(sorted(bare_ids(rows)))
            found |= {f"{100 * fraction:g} %, {part}: {name}": value for name, value in ids.items()}
    return found


def test_set(protocol: Protocol, given: Values) -> Values:
    """Return the test images in their order, and their targets."""
    rows = manifest(protocol, given).split("test")
    return {**listed(bare_ids(rows)), "classes": sorted(rows.labels), **targets_of(rows)}


def listed(ids: Sequence[str]) -> Values:
    """Return the number, the first ones and a hash of ids; the order counts."""
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
    return {"images": len(ids), "first": list(ids[:SHOWN]), "ids": digest}


def bare_ids(rows: Manifest) -> list[str]:
    """Return ids without the mark of an image that is in several splits."""
    return [str(name).partition("#")[0] for name in rows.table["id"]]


def targets_of(rows: Manifest) -> Values:
    """Return the positives of each class, and a hash of all targets, with ids and classes sorted."""
    names = sorted(rows.labels)
    by_id = dict(zip(bare_ids(rows), rows.table[names].to_numpy().tolist(), strict=True))
    return summary(names, by_id)


def summary(names: Sequence[str], by_id: Mapping[str, Sequence[float]]) -> Values:
    """Return the positives of each class, and a hash of the targets of all images, sorted by id."""
    counts = [sum(row[c] == 1 for row in by_id.values()) for c in range(len(names))]
    lines = [f"{name} {' '.join(f'{value:g}' for value in by_id[name])}" for name in sorted(by_id)]
    return {
        "positives": dict(zip(names, counts, strict=True)),
        "targets": hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16],
    }


def manifest(protocol: Protocol, given: Values) -> Manifest:
    """Return the drawn data set as the suite of the fixture reads it under the protocol."""
    options = {**data_options(protocol, given), "root": str(folder(given["files"]).name)}
    return _read(json.dumps(options, sort_keys=True), protocol.split["rule"])


def data_options(protocol: Protocol, given: Values) -> dict[str, Any]:
    """Return how the suite of the fixture reads the data under the protocol; empty without a suite."""
    if "suite" not in given:
        return {}
    entries = suite_of(given).evaluations
    name = protocol.name.partition(" (changed")[0]
    references = [entry["data"] for entry in entries if entry["protocol"] == name]
    return dict(resolve(references[0]))


@cache
def _read(options: str, rule: str) -> Manifest:
    values: dict[str, Any] = json.loads(options)
    return open_dataset(values, split=rule)


@cache
def folder(kind: str) -> TemporaryDirectory[str]:
    """Return the folder of a kind of files, which lives as long as the process."""
    place = TemporaryDirectory(prefix="parity-")
    drawn_annotations.write(kind, Path(place.name))
    return place
