"""Write a bundle: the finished records of a store, fit to be shown to others, with hashes of everything.

The same records give the same bytes: nothing depends on the clock.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.errors import BenchError
from prior_bench.io.arrays import BEGINNING, write_arrays
from prior_bench.io.atomic import whole_file
from prior_bench.io.bounded import is_own_file, read_json
from prior_bench.leaderboard.cards import given_cards, known_card, rows_of, weights_facts
from prior_bench.leaderboard.checking import check_bundle
from prior_bench.leaderboard.environments import environments
from prior_bench.leaderboard.layout import (
    MOST_RECORDS,
    STATEMENT,
    arrays_sha256,
    card_member,
    run_member,
    sealed,
)
from prior_bench.leaderboard.opening import as_error
from prior_bench.leaderboard.shareable import PLACE, paths_in, shareable_arrays, shareable_record
from prior_bench.schema.bundle import FORMAT, VERSION, BundleStatement
from prior_bench.schema.errors import checked
from prior_bench.schema.records import check_plain
from prior_bench.store.provenance import versions
from prior_bench.store.store import PREDICTIONS, RECORD, Store

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Submission:
    """What a submitter says.

    Attributes:
        title: title of the bundle.
        contact, licence, note: see :class:`prior_bench.schema.bundle.BundleStatement`.
        cards: ``FILE.json`` or ``ROW=FILE.json``.
    """

    title: str
    contact: str = ""
    licence: str = ""
    note: str = ""
    cards: tuple[str, ...] = ()

    def said(self) -> dict[str, str]:
        """Return the lines of text, of which none may name a path.

        Raises:
            BenchError: one does.
        """
        lines = {"title": self.title, "contact": self.contact, "licence": self.licence, "note": self.note}
        check_plain(lines)
        for key in paths_in(lines):
            raise BenchError("names a path", where=key, fix="leave it out")
        return lines


@dataclass(frozen=True)
class Bundled:
    """What was written.

    Attributes:
        path: the file.
        sha256: hash over the whole statement.
        records, enclosed: number of records, and of those with predictions in the bundle.
        left_out: number of failed records.
        data: names of the data sets whose labels are in the predictions, except synthetic ones.
    """

    path: Path
    sha256: str
    records: int
    enclosed: int
    left_out: int
    data: tuple[str, ...]


def write_bundle(store: Store, path: Path, submission: Submission, *, predictions: bool = False) -> Bundled:
    """Write the finished records of a store to a bundle, complete or not at all.

    Args:
        store: whose records.
        path: the ZIP file to write.
        submission: what the submitter says.
        predictions: whether to enclose the predictions, with numbers in place of patients and images.

    Raises:
        BenchError: there is no finished record, a record names a path where it cannot be replaced, a card
            cannot be used, or the file cannot be written.
    """
    said = submission.said()
    found = store.records()
    done = sorted(key for key, record in found.items() if record.status == "done")
    done = [key for key in done if not found[key].provenance.get("rehearsal")]
    if not done:
        raise BenchError("there is no finished record", where=store.root, fix="prior-bench run SUITE")
    if len(done) > MOST_RECORDS:
        raise BenchError(f"{len(done):,} records; a bundle has at most {MOST_RECORDS:,}", where=store.root)
    with whole_file(path) as fresh:
        with zipfile.ZipFile(fresh, "w") as archive:
            members: dict[str, str] = {}
            records, listed, enclosed = [], [], set()
            for key in done:
                if not is_own_file(store.runs / key / RECORD):
                    raise BenchError("is no regular file", where=store.runs / key / RECORD)
                values = shareable_record(read_json(store.runs / key / RECORD))
                arrays = _predictions(store, key)
                inside = bool(predictions and arrays)
                digest = arrays_sha256(arrays) if arrays else ""
                listed.append({"key": key, "predictions_sha256": digest, "enclosed": inside})
                _add(archive, members, run_member(key, RECORD), _json(values))
                if inside:
                    _add(archive, members, run_member(key, PREDICTIONS), _npz(arrays))
                    if not values.get("synthetic"):
                        enclosed.add(str(values["spec"]["data"]["name"]))
                records.append(values)
            rows = _cards(archive, members, records, submission)
            statement: dict[str, Any] = {
                "format": FORMAT,
                "version": VERSION,
                **said,
                "made_with": versions().get("prior-bench", ""),
                "left_out": len(found) - len(done),
                "rows": rows,
                "records": listed,
                "environments": environments(records),
                "members": members,
            }
            statement["sha256"] = sealed(statement)
            checked(BundleStatement, statement, path, "the bundle cannot be written:")
            _add(archive, {}, STATEMENT, _json(statement))
        if problems := check_bundle(fresh).problems:
            raise as_error(problems, store.root)
    count = sum(bool(record["enclosed"]) for record in listed)
    return Bundled(
        path, statement["sha256"], len(done), count, len(found) - len(done), tuple(sorted(enclosed))
    )


def _cards(
    archive: zipfile.ZipFile, members: dict[str, str], records: list[dict[str, Any]], submission: Submission
) -> list[dict[str, str]]:
    """Write the cards, and return what the statement says of the rows."""
    names = rows_of(records)
    given = given_cards(submission.cards, names)
    rows = []
    for number, name in enumerate(names):
        first = next(r for r in records if r["spec"]["backbone"]["name"] == name)
        card = given.get(name) or known_card(first)
        if card is not None:
            card = _without_places(card)
        values = {"row": name, "card": card, "weights": weights_facts(first)}
        _add(archive, members, card_member(number), _json(values))
        rows.append({"name": name, "card": card_member(number)})
    return rows


def _without_places(card: dict[str, Any]) -> dict[str, Any]:
    """Return a card whose row names no file of a machine."""
    row = card.get("row") or {}
    names = [key for key in row if list(paths_in(row[key]))]
    return {**card, "row": {**row, **{key: PLACE for key in names}}} if names else card


def _predictions(store: Store, key: str) -> dict[str, np.ndarray]:
    """Return the arrays of a run that may be shared; empty if it has no predictions."""
    if not is_own_file(store.runs / key / PREDICTIONS):
        return {}
    return shareable_arrays(store.predictions(key))


def _add(archive: zipfile.ZipFile, members: dict[str, str], name: str, content: bytes) -> None:
    """Write a member, whose bytes do not depend on the clock, and note its hash."""
    member = zipfile.ZipInfo(name, BEGINNING)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    archive.writestr(member, content)
    members[name] = hashlib.sha256(content).hexdigest()


def _json(values: Any) -> bytes:
    return json.dumps(values, indent=1, sort_keys=True, allow_nan=False).encode("ascii")


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    write_arrays(file, arrays, compress=False)  # the bundle compresses it
    return file.getvalue()
