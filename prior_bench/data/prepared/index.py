"""Store manifests as prepared indices, so that annotations are not read each time a data set is opened.

An index is a file under the cache root (``indices/``) for one data set, folder, split rule and set of
options: a Parquet file, which is data alone. It records the size, time and hash of the annotation files
(``Card.watched``) and the version of the reading code. If anything differs, the index is stale and the files
are read again.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.data.cards import WATCHED, card
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.io.atomic import CACHE_FIX, whole_file
from prior_bench.io.bounded import most_unpacked
from prior_bench.io.parquet import bounded_table, returned_memory

KEPT = tuple(f.name for f in fields(Manifest) if f.init and f.name not in ("root", "table", "synthetic"))
"""Fields of a manifest that are stored unchanged; tuples become lists."""
EARLIER = ".json.gz"
"""Suffix of an index that an earlier version wrote."""
METADATA = b"prior_bench_index"
"""Key, in the metadata of the file, of all that is not a column."""
ROWS = 1 << 14
"""Rows of a group of the file; the larger, the more of it is in memory while a part of it is read."""
READ = 1 << 13
"""Rows that are read at once; a file of somebody else may unpack as many before it is refused."""


def place_of(kind: str, folder: Path, split: str, options: dict[str, Any]) -> Path:
    """Return the path of the index for a data set, folder, split rule and options."""
    identity = json.dumps([kind, str(folder.resolve()), split, options], sort_keys=True, default=repr)
    name = f"{kind}-{split.replace(':', '-')}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}.parquet"
    return paths.cache_root() / "indices" / name


def save(manifest: Manifest, kind: str, folder: Path, split: str, options: dict[str, Any]) -> Path:
    """Write the index; the file appears complete or not at all.

    Raises:
        BenchError: an option is ``missing="skip"`` (an index would hide images that arrive later), or the
            file cannot be written.
    """
    if options.get("missing") == "skip":
        raise BenchError(
            "cannot be prepared with missing=skip: the index would hide images that arrive later",
            where=folder,
            fix="complete the download first, or continue without preparing",
        )
    import pyarrow as pa
    import pyarrow.parquet as pq

    from prior_bench.data.prepared.columns import encode_table

    place = place_of(kind, folder, split, options)
    columns, kinds = encode_table(manifest.table)
    content = {
        "code": reader_code(kind),
        "sources": {
            name: {**state, "sha256": _hash(_file(folder, name))}
            for name, state in _states(kind, folder).items()
        },
        "root": str(manifest.root.absolute()),
        "manifest": {name: getattr(manifest, name) for name in KEPT},
        "columns": kinds,
    }
    columns = columns.replace_schema_metadata({METADATA: json.dumps(content)})
    fault = dict(errors=(pa.ArrowException,), needed=columns.nbytes)
    # an open file, because pyarrow takes no path that is not UTF-8
    with whole_file(place, CACHE_FIX, **fault) as fresh, open(fresh, "wb") as file:
        pq.write_table(
            columns,
            file,
            row_group_size=ROWS,
            compression="zstd",
            write_statistics=False,
            write_page_checksum=True,
        )
    with suppress(OSError):
        _earlier(place).unlink(missing_ok=True)
    return place


def load(kind: str, folder: Path, split: str, options: dict[str, Any]) -> Manifest | None:
    """Load the prepared manifest; return None if there is none or if it is stale (reported on stderr)."""
    place = place_of(kind, folder, split, options)
    if not os.path.isfile(place):  # nor in a cache that may not be read
        if os.path.isfile(_earlier(place)):
            _say_stale(_earlier(place), "an earlier version wrote it", f"{kind}@{folder}")
        return None
    try:
        found, why = _read(place, kind, folder)
        if found is not None:
            return found
    except Exception as error:  # a cache that is shared can hold anything
        why = f"it cannot be read ({error})"
    _say_stale(place, why, f"{kind}@{folder}")
    return None


def _read(place: Path, kind: str, folder: Path) -> tuple[Manifest | None, str]:
    """Return the manifest of an index file, or None and why the file must not be used."""
    import pyarrow.parquet as pq

    from prior_bench.data.prepared.columns import decode_table

    with (
        returned_memory(),
        open(place, "rb") as opened,
        pq.ParquetFile(opened, page_checksum_verification=True) as file,
    ):
        content = json.loads((file.schema_arrow.metadata or {})[METADATA])
        if why := _stale(content, kind, folder):
            return None, why
        columns = bounded_table(file, most_unpacked(place.stat().st_size), READ)
    root = Path(content["root"])
    kept: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in content["manifest"].items()}
    return Manifest(root=root, table=decode_table(columns, content["columns"], root), **kept), ""


def _earlier(place: Path) -> Path:
    return place.with_suffix(EARLIER)


@functools.cache  # once per process: a suite opens the same data set for every cell
def _say_stale(place: Path, why: str, reference: str) -> None:
    print(
        f"remark: prepared index {place} is stale: {why}. The files are read again; "
        f"`prior-bench data prepare {reference}` (with the same --split and --set) updates it.",
        file=sys.stderr,
    )


def reader_code(kind: str) -> str:
    """Hash the code that reads a data set and writes its index, without comments."""
    from prior_bench.registry import DATASETS
    from prior_bench.store.source_hash import code_version, used_modules

    modules = (DATASETS.get(kind).__module__, "prior_bench.data.prepared.columns")
    return code_version(__name__, *(used for module in modules for used in used_modules(module)))


# --- what an index was made from ----------------------------------------------------------------------


def _states(kind: str, folder: Path) -> dict[str, dict[str, int]]:
    """Return the size and time of every watched file, by its name relative to the folder."""
    if folder.is_file():
        return {"": _state(folder)}
    found = card(kind)
    patterns = found.watched if found else WATCHED
    files = {file for pattern in patterns for file in folder.glob(pattern) if file.is_file()}
    return {file.relative_to(folder).as_posix(): _state(file) for file in sorted(files)}


def _state(file: Path) -> dict[str, int]:
    state = file.stat()
    return {"size": state.st_size, "time": state.st_mtime_ns}


def _file(folder: Path, name: str) -> Path:
    return folder / name if name else folder


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stale(content: dict[str, Any], kind: str, folder: Path) -> str:
    """Return why the index must not be used, or "" if it can be used."""
    if content["code"] != reader_code(kind):
        return "it was made by another version of the reader"
    if not Path(content["root"]).exists():
        return f"{content['root']} is gone"
    known, now = content["sources"], _states(kind, folder)
    for name in sorted({*known, *now}):
        if name not in now:
            return f"{_file(folder, name)} is gone"
        if name not in known:
            return f"{_file(folder, name)} is new"
        same_state = all(known[name][key] == value for key, value in now[name].items())
        if not same_state and known[name]["sha256"] != _hash(_file(folder, name)):
            return f"{_file(folder, name)} has changed"
    return ""
