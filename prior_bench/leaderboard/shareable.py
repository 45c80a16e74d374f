"""What of a record and its predictions may leave the machine: no path, no name of a patient or image.

Paths are replaced. Patients and images get numbers in the order of their names, so that the same test set
has the same numbers everywhere, and resampling by patient draws the same ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from prior_bench.data.generated import generated
from prior_bench.errors import BenchError
from prior_bench.schema.errors import dotted

if TYPE_CHECKING:
    import numpy as np

PLACE = "<path>"
"""Stands for a file or folder of a machine."""
OF_PROVENANCE = (
    *("versions", "git", "hardware", "op_provider", "command", "identity", "data_fingerprint"),
    *("declared_versions", "code_version", "leakage", "wall_seconds", "peak_gib", "finished", "backbone"),
    *("input", "parameters", "migrated_from", "processes"),
)
"""Keys of a record's provenance that are kept; others, such as the names of GPUs in a cluster, are not."""
NAMED_SAMPLES = ("id", "patient_id", "image_id")
"""Arrays of names that become numbers."""
TEXTS_KEPT = ("meta_classes", "meta_prompts")
"""Arrays of words that are settings of an evaluation, and belong to no patient."""
EXAMPLES = "example_"
"""Prefix of arrays that only pictures need."""

_URL = re.compile(r"\b(?:https?|doi):[^\s'\"<>]+")
_ABSOLUTE = re.compile(
    r"(?<![\w.)\]}>/-])/{1,3}(?=[\w.~-])|(?<!\w)~[\w.-]*[/\\]|(?<!\w)[A-Za-z]:[/\\]|\\\\(?=\w)"
)
_QUOTED = re.compile(r"(['\"])([^'\"]*)\1")
_PIECE = re.compile(r"[^\s'\"`<>|,;=]+")
_WHOLE = re.compile(rf"(?P<before>[\w.-]*[:@])?(?:{_ABSOLUTE.pattern})[^'\"`<>|;]*")
_FILES = "bin ckpt csv dcm dicom gz h5 jpeg jpg json log nii npy npz parquet pkl png pt pth py safetensors"
_FILE = re.compile(
    rf"\.(?:{'|'.join([*_FILES.split(), *'tar tif tiff tsv txt xml yaml yml zip'.split()])})\b", re.I
)
_BLANK = "\0"


@lru_cache(maxsize=1024)
def is_generated(root: str) -> bool:
    """Whether the root of a data set is that of a generator; looked up once, as that takes 10 ms."""
    return generated(root)


def without_paths(text: str) -> str:
    """Return a text in which absolute paths, and relative ones of files, are :data:`PLACE`.

    Addresses of the web and names on a hub (``owner/name``) stay.
    """
    urls = iter(_URL.findall(text))
    held = _URL.sub(_BLANK, text)
    if whole := _WHOLE.fullmatch(held):
        return f"{whole['before'] or ''}{PLACE}"
    held = _QUOTED.sub(
        lambda found: f"{found[1]}{PLACE}{found[1]}" if _ABSOLUTE.search(found[2]) else found[0], held
    )
    held = _PIECE.sub(lambda found: _piece(found[0]), held)
    return re.sub(_BLANK, lambda _: next(urls, ""), held)


def paths_in(value: Any, key: str = "") -> Iterator[str]:
    """Yield the dotted keys of all texts in plain types that name a path, also as a key."""
    if isinstance(value, str):
        if without_paths(value) != value:
            yield key
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            if without_paths(str(name)) != str(name):
                yield f"{key} (a key)"
            yield from paths_in(inner, dotted(key, str(name)))
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from paths_in(inner, key)


def shareable_record(values: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a ``record.json`` without paths.

    Raises:
        BenchError: a path is where it cannot be replaced: in the protocol, which is part of the key, or in
            the name of a row, a metric or a class.
    """
    spec = values["spec"]
    kept: dict[str, Any] = {
        **{name: _cleaned(value) for name, value in values.items() if name not in ("spec", "provenance")},
        "spec": {name: _cleaned(value) for name, value in spec.items() if name != "protocol"},
        "provenance": {
            name: _cleaned(value)
            for name, value in values.get("provenance", {}).items()
            if name in OF_PROVENANCE
        },
    }
    kept["spec"]["protocol"] = spec["protocol"]
    if not is_generated(spec["data"].get("root", "")):
        kept["spec"]["data"]["root"] = PLACE
    if kept["spec"]["backbone"]["name"] != spec["backbone"]["name"]:
        fix = "give the row a name of its own, and run it again"
        raise BenchError("names a path", where=f"record {values['key']}: spec.backbone.name", fix=fix)
    for key in paths_in(kept):
        fix = "keys and protocols are part of the result; use a registered name, and run it again"
        raise BenchError("names a path", where=f"record {values['key']}: {key}", fix=fix)
    return kept


def shareable_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the predictions that metrics need, with numbers in place of the names of patients and images.

    Arrays of words are left out (reports, phrases, lists of training images), unless all words are names of
    classes; arrays of a few examples too.
    """
    import numpy as np

    classes = {"", *map(str, arrays.get("meta_classes", np.array([], dtype=str)).ravel())}
    kept = {}
    for name, array in arrays.items():
        if name in NAMED_SAMPLES:
            kept[name] = numbered(array)
        elif name.startswith(EXAMPLES):
            continue
        elif array.dtype.kind not in "US" or name in TEXTS_KEPT:
            kept[name] = array
        elif not name.startswith("meta_") and set(map(str, np.unique(array))) <= classes:
            kept[name] = array
    return kept


def numbered(names: np.ndarray) -> np.ndarray:
    """Return the place of each name among all distinct ones, in sorted order, as text of one width."""
    import numpy as np

    distinct, place = np.unique(names, return_inverse=True)
    width = len(str(max(len(distinct) - 1, 0)))
    return np.array([f"{number:0{width}}" for number in place.ravel()], dtype=str).reshape(names.shape)


def is_numbered(names: np.ndarray) -> bool:
    """Whether names are those that :func:`numbered` gives."""
    import numpy as np

    return names.dtype.kind in "US" and bool(np.array_equal(names, numbered(names)))


def _piece(piece: str) -> str:
    """Return what stands between blanks and quotes without a path."""
    if found := _ABSOLUTE.search(piece):
        return piece[: found.start()] + PLACE
    named = ("/" in piece or "\\" in piece) and _FILE.search(piece)
    return PLACE if named else piece


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return without_paths(value)
    if isinstance(value, dict):
        return {name: _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_cleaned(inner) for inner in value]
    return value
