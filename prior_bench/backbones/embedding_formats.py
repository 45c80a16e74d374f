"""Files of embeddings, ``.npz`` and ``.parquet``: reading and writing (docs/embeddings.md).

Both hold the same entries. An ``.npz`` file has one array per entry. A ``.parquet`` file has one row per
image or text, and the entries that are not one per row as JSON in the metadata of its schema. Files are data:
nothing in them is unpickled or run.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.backbones.stored_embeddings import StoredEmbeddings
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.io.arrays import write_arrays
from prior_bench.io.atomic import whole_file
from prior_bench.io.bounded import MOST_NAMES, UNPACKED_RATIO, UNREADABLE, most_unpacked, opened_zip
from prior_bench.io.parquet import bounded_table

FORMATS = (".npz", ".parquet")
ARRAYS = {
    "ids": "ids",
    "images": "vectors",
    "joint": "joint",
    "texts": "texts",
    "text_vectors": "text_vectors",
    "sizes": "sizes",
}
"""Fields of StoredEmbeddings by the names of arrays in an .npz file."""
COLUMNS = {
    "id": "ids",
    "image": "vectors",
    "joint": "joint",
    "text": "texts",
    "text_vector": "text_vectors",
    "size": "sizes",
}
"""Fields of StoredEmbeddings by the names of columns in a .parquet file."""
FURTHER = ("scale", "bias", "trained_on", "about")
"""Entries that are not one per row."""
METADATA = b"prior_bench"
"""Key of these entries in the metadata of a .parquet file."""
FIX = "docs/embeddings.md describes the file"


def require_format(path: str | Path) -> None:
    """Raise BenchError if the name of a file ends in none of :data:`FORMATS`."""
    if Path(path).suffix not in FORMATS:
        raise BenchError(f"must end in {' or '.join(FORMATS)}", where=path, fix=FIX)


def read_embeddings(path: str | Path) -> StoredEmbeddings:
    """Read and check a file of embeddings.

    Raises:
        BenchError: the file does not exist, or its content cannot be used; all problems of its arrays are
            reported together.
    """
    path = Path(path)
    require_format(path)
    if not path.is_file():
        raise BenchError("no such file of embeddings", where=path, fix="prior-bench embed writes one")
    found = _read_npz(path) if path.suffix == ".npz" else _read_parquet(path)
    missing = [
        BenchError("is missing", where=entry, fix=FIX)
        for entry, field in _names(path).items()
        if field in ("ids", "vectors") and field not in found
    ]
    if missing:
        raise ErrorList("the embeddings cannot be used:", missing, where=path)
    return StoredEmbeddings(**found, where=str(path))


def write_embeddings(path: str | Path, stored: StoredEmbeddings) -> None:
    """Write a file of embeddings; it appears complete or not at all."""
    path = Path(path)
    require_format(path)
    further = {
        "scale": float(stored.scale),
        "bias": float(stored.bias),
        "trained_on": list(stored.trained_on),
        "about": stored.about,
    }
    if path.suffix == ".parquet":
        _write_parquet(path, stored, further)
        return
    arrays = {name: getattr(stored, field) for name, field in ARRAYS.items()}
    if not stored.has_texts:
        del arrays["texts"]
    further["about"] = json.dumps(stored.about)
    further["trained_on"] = np.array(stored.trained_on, str)
    with whole_file(path) as fresh:
        write_arrays(fresh, {k: v for k, v in {**arrays, **further}.items() if v is not None}, compress=False)


def _names(path: Path) -> dict[str, str]:
    return ARRAYS if path.suffix == ".npz" else COLUMNS


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        _check_unpacked(path)
        with np.load(path, allow_pickle=False) as file:
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("one array, not an archive of arrays")
            known = [*ARRAYS, *FURTHER]
            if errors := [unknown_name("array", name, known) for name in file.files if name not in known]:
                raise ErrorList("the embeddings cannot be used:", errors, where=path)
            arrays = {name: file[name] for name in file.files}
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if single := [name for name in ARRAYS if name in arrays and not arrays[name].ndim]:
        raise BenchError("is a single value; must be an array", where=f"{path}: {single[0]}", fix=FIX)
    found: dict[str, Any] = {field: arrays[name] for name, field in ARRAYS.items() if name in arrays}
    for name in ("scale", "bias"):
        if name in arrays:
            found[name] = _number(arrays[name], name, path)
    if "trained_on" in arrays:
        found["trained_on"] = _trained_on(arrays["trained_on"].tolist(), path)
    if "about" in arrays:
        found["about"] = _about(str(arrays["about"]), path)
    return found


def _check_unpacked(path: Path) -> None:
    """Raise ValueError if an archive unpacks to far more than it has; vectors hardly shrink."""
    if not zipfile.is_zipfile(path):
        return
    with opened_zip(path, MOST_NAMES) as archive:
        total = sum(member.file_size for member in archive.infolist())
    if total > most_unpacked(path.stat().st_size):
        raise ValueError(f"it unpacks to {total:,} bytes, more than {UNPACKED_RATIO} times its size")


def _read_parquet(path: Path) -> dict[str, Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open(path, "rb") as file:  # pyarrow takes no path that is not UTF-8
            table = bounded_table(pq.ParquetFile(file), most_unpacked(path.stat().st_size))
    except (OSError, ValueError, MemoryError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error
    given = [name for name in table.column_names if not name.startswith("__index_level_")]  # from pandas
    if errors := [unknown_name("column", name, list(COLUMNS)) for name in given if name not in COLUMNS]:
        raise ErrorList("the embeddings cannot be used:", errors, where=path)
    empty = np.zeros(len(table), bool)
    named = {name: table[name].is_valid().to_numpy() if name in given else empty for name in ("id", "text")}
    wrong = named["id"] == named["text"]
    if "id" in given and wrong.any():
        row, what = int(np.argmax(wrong)), "must have either an id or a text"
        raise BenchError(what, where=f"{path}, row {row}", fix=FIX)
    found: dict[str, Any] = {}
    for name in given:
        of_texts = name in ("text", "text_vector")
        values = table[name].filter(pa.array(named["text" if of_texts else "id"])).combine_chunks()
        if len(values) and values.null_count == len(values) and name not in ("id", "image"):
            continue  # a column that says nothing
        if of_texts and not len(values):
            continue
        found[COLUMNS[name]] = _array(values, name, path)
    return found | _metadata((table.schema.metadata or {}).get(METADATA), path)


def _array(values: Any, name: str, path: Path) -> np.ndarray:
    """Return a column as an array: texts [rows], integers [rows] or vectors [rows, D]."""
    import pyarrow as pa

    kind = values.type
    if values.null_count:
        raise BenchError(f"{values.null_count:,} rows have no value", where=f"{path}: {name}", fix=FIX)
    if name in ("id", "text"):
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise BenchError(f"is {kind}; must be text", where=f"{path}: {name}")
        return np.array(values.to_pylist(), dtype=str)
    if name == "size":
        return values.to_numpy(zero_copy_only=False)
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise BenchError(f"is {kind}; must be lists of float32", where=f"{path}: {name}")
    lengths = np.unique(values.value_lengths().to_numpy(zero_copy_only=False))
    if len(lengths) > 1:
        what = f"vectors have different lengths ({lengths[0]} to {lengths[-1]})"
        raise BenchError(what, where=f"{path}: {name}")
    return values.flatten().to_numpy(zero_copy_only=False).reshape(len(values), -1)


def _metadata(text: bytes | None, path: Path) -> dict[str, Any]:
    if text is None:
        return {}
    where = f"{path}: metadata {METADATA.decode()}"
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BenchError(f"not JSON: {error}", where=where) from error
    if not isinstance(given, dict):
        raise BenchError("must be a JSON object", where=where)
    for name in given:
        if name not in FURTHER:
            raise unknown_name("entry", name, list(FURTHER), where=where)
    found = {name: _number(given[name], name, path) for name in ("scale", "bias") if name in given}
    return {
        **found,
        "trained_on": _trained_on(given.get("trained_on", []), path),
        "about": _about(json.dumps(given.get("about", {})), path),
    }


def _write_parquet(path: Path, stored: StoredEmbeddings, further: dict[str, Any]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    images, texts = len(stored.ids), len(stored.texts)

    def column(values: np.ndarray | None, before: int, after: int) -> Any:
        assert values is not None, "only entries that exist are written"
        if values.ndim == 2:
            flat = pa.array(values.ravel(), pa.float32())
            offsets = pa.array(np.arange(0, values.size + 1, values.shape[1]), pa.int64())
            made = pa.LargeListArray.from_arrays(offsets, flat)
        else:
            made = pa.array(values.tolist())
        return pa.concat_arrays([pa.nulls(before, made.type), made, pa.nulls(after, made.type)])

    columns = {}
    for name, entry in COLUMNS.items():
        values, of_texts = getattr(stored, entry), name in ("text", "text_vector")
        if values is not None and (texts or not of_texts):
            columns[name] = column(values, images * of_texts, texts * (not of_texts))
    table = pa.table(columns).replace_schema_metadata({METADATA: json.dumps(further).encode()})
    with whole_file(path, errors=(pa.ArrowException,)) as fresh, open(fresh, "wb") as file:
        pq.write_table(table, file)


def _number(value: Any, name: str, path: Path) -> float:
    value = np.asarray(value)
    if value.shape not in ((), (1,)) or value.dtype.kind not in "fiu":
        raise BenchError(f"is {value.dtype} {list(value.shape)}; must be a number", where=f"{path}: {name}")
    return float(value.reshape(()))


def _trained_on(names: Any, path: Path) -> tuple[str, ...]:
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        what = "must be a list of names of data sets"
        raise BenchError(what, where=f"{path}: trained_on", fix="prior-bench list datasets")
    return tuple(names)


def _about(text: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BenchError(f"not JSON: {error}", where=f"{path}: about") from error
    if not isinstance(found, dict):
        raise BenchError("must be a JSON object", where=f"{path}: about")
    return found


def _unreadable(path: Path, error: Exception) -> BenchError:
    return BenchError(f"cannot be read as a file of embeddings: {error}", where=path, fix=FIX)
