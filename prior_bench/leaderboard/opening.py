"""Open a bundle of somebody else: every name, size and hash is checked before anything is unpacked."""

from __future__ import annotations

import contextlib
import hashlib
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError, ErrorList
from prior_bench.io.bounded import MIB, is_own_file, opened_zip, read_json
from prior_bench.io.room import FULL, cannot_write, of_the_disk
from prior_bench.io.unpacked import check_unpacked
from prior_bench.leaderboard.layout import MOST_RECORDS, STATEMENT, most_bytes, run_member, sealed
from prior_bench.schema.bundle import VERSION, BundleCard, BundleStatement
from prior_bench.schema.errors import checked
from prior_bench.schema.records import check_plain
from prior_bench.store.exchange import DAMAGED
from prior_bench.store.store import PREDICTIONS, RECORD, Store

MOST_NAMES = 16 * MIB
"""Bytes of the directory of a bundle."""


@dataclass(frozen=True)
class OpenBundle:
    """A bundle whose form is right, unpacked.

    Attributes:
        file: name of the file, without its folder.
        statement: ``bundle.json``.
        cards: the card of each row.
        store: the unpacked records, and the predictions that are enclosed.
        problems: what is wrong with its content so far.
    """

    file: str
    statement: BundleStatement
    cards: dict[str, BundleCard]
    store: Store
    problems: list[str] = field(default_factory=list)

    @property
    def sha256(self) -> str:
        """The hash over everything."""
        return self.statement.sha256


def open_bundle(path: Path, folder: Path) -> OpenBundle:
    """Unpack a bundle and return it.

    Args:
        path: the file.
        folder: an empty folder of ours to unpack to.

    Raises:
        BenchError: it is no bundle: no ZIP file, other members than the layout has, members that unpack to
            too much, or a statement that does not fit its schema.
    """
    if not is_own_file(path):
        raise BenchError("is no regular file", where=path, fix="give a file of 'results bundle'")
    with _reading(path, folder), opened_zip(path, MOST_NAMES) as archive:
        members = archive.infolist()
        _check_members(members, path, folder)
        digests = {member.filename: _unpack(archive, member, folder) for member in members}
    statement, raw = _statement(path, folder)
    problems = _wrong_hashes(statement, raw, digests)
    return OpenBundle(path.name, statement, _cards(statement, path, folder), Store(folder), problems)


def _check_members(members: list[zipfile.ZipInfo], path: Path, folder: Path) -> None:
    seen: set[str] = set()
    for member in members:
        name = member.filename
        if member.orig_filename != name or most_bytes(name) is None:
            raise BenchError(f"holds {name!r}, which is no part of a bundle", where=path)
        if name.casefold() in seen:
            raise BenchError(f"holds {name} twice", where=path)
        if (mode := member.external_attr >> 16) and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise BenchError(f"{name} is no regular file", where=path)
        seen.add(name.casefold())
    if STATEMENT not in seen:
        raise BenchError(f"holds no {STATEMENT}", where=path, fix="make it by 'prior-bench results bundle'")
    check_unpacked(members, lambda name: most_bytes(name) or 0, path, folder, "bundle")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> str:
    """Write a member under its checked name, and return its sha256. zipfile compares size and CRC."""
    place = folder.joinpath(*member.filename.split("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with archive.open(member) as source, open(place, "xb") as copy:
        while block := source.read(MIB):
            digest.update(block)
            copy.write(block)
    return digest.hexdigest()


@contextlib.contextmanager
def _reading(path: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except BenchError:
        raise
    except DAMAGED as error:
        if (disk := of_the_disk(error)) and disk.errno in FULL:
            raise cannot_write(folder, disk, "set TMPDIR") from error
        raise BenchError(f"is no bundle: {error}", where=path, fix="send it again") from error


def _statement(path: Path, folder: Path) -> tuple[BundleStatement, dict[str, Any]]:
    where = f"{path.name}: {STATEMENT}"
    values = _json(folder / STATEMENT, where)
    if isinstance(version := values.get("version"), int) and version > VERSION:
        what = f"written by a newer prior-bench (layout {version}, known: {VERSION})"
        raise BenchError(what, where=where, fix="install a newer version")
    statement = checked(BundleStatement, values, where, "is no statement of a bundle:")
    if len(statement.records) > MOST_RECORDS:
        raise BenchError(f"lists {len(statement.records):,} records; at most {MOST_RECORDS:,}", where=where)
    return statement, values


def _json(place: Path, where: str) -> dict[str, Any]:
    """Read a JSON object of a bundle; messages name the member and not the temporary folder."""
    try:
        values = read_json(place)
        if not isinstance(values, dict):
            raise BenchError("is no JSON object")
        check_plain(values)
    except FileNotFoundError:
        raise BenchError("is missing", where=where) from None
    except BenchError as error:
        raise BenchError(error.what, where=where) from error
    return values


def _cards(statement: BundleStatement, path: Path, folder: Path) -> dict[str, BundleCard]:
    cards = {}
    for row in statement.rows:
        where = f"{path.name}: {row.card}"
        if most_bytes(row.card) is None:
            raise BenchError("is no name of a card", where=where)
        card = checked(BundleCard, _json(folder / row.card, where), where, "is no card of a bundle:")
        if card.row != row.name or row.name in cards:
            raise BenchError(f"belongs to the row {card.row!r}, not {row.name!r}", where=where)
        cards[row.name] = card
    return cards


def _wrong_hashes(statement: BundleStatement, raw: dict[str, Any], digests: dict[str, str]) -> list[str]:
    """Return what differs between the statement and the members."""
    problems = []
    if sealed(raw) != statement.sha256:
        problems.append(f"{STATEMENT}: its sha256 is not that of its content")
    for name in sorted({*statement.members, *digests} - {STATEMENT}):
        if name not in digests:
            problems.append(f"{name}: is missing")
        elif name not in statement.members:
            problems.append(f"{name}: is not listed in {STATEMENT}")
        elif digests[name] != statement.members[name]:
            problems.append(f"{name}: its sha256 is not the listed one")
    listed = [run_member(record.key, RECORD) for record in statement.records]
    listed += [run_member(record.key, PREDICTIONS) for record in statement.records if record.enclosed]
    listed += [row.card for row in statement.rows]
    if len(set(listed)) < len(listed):
        problems.append(f"{STATEMENT}: lists a record or card twice")
    for name in sorted(set(listed) ^ (set(digests) - {STATEMENT})):
        problems.append(f"{name}: {'is not there' if name in listed else 'belongs to no listed record'}")
    return problems


def as_error(problems: list[str], where: object) -> BenchError:
    """Return the problems of a bundle as one error."""
    return ErrorList("is not sound:", [BenchError(problem) for problem in problems], where=where)
