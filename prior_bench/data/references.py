"""Resolve a data reference, as typed by a user or listed in a suite, without opening what it names.

``NAME`` is a registered data set under the data root, ``NAME@DIR`` a data set stored elsewhere,
``sample:NAME`` its synthetic counterpart (generated on first use; ``sample_validation:NAME`` and
``sample_study:NAME`` those of other people, and so on for every generator), ``FILE.csv`` a table of
the user's own images, and ``FILE.npz`` a file of MedMNIST. ``MODULE:READER`` in place of a name calls the
user's own reader (:mod:`prior_bench.registry`). With the option ``cache=SIZE``, images come from the image
cache (:mod:`prior_bench.data.images.cache`).
"""

from pathlib import Path
from typing import Any

from prior_bench.data.generated import generator_of
from prior_bench.errors import BenchError, unknown_name
from prior_bench.io.what_is import what_is
from prior_bench.registry import DATASETS, GENERATORS

TABLES = (".csv", ".tsv", ".tab", ".csv.gz", ".tsv.gz")
"""Suffixes, in any case, of tables of a user's own images."""
OWN_FILES = (*TABLES, ".npz")
"""Suffixes, in any case, of files that are data sets of their own."""


def resolve(reference: str | dict[str, Any]) -> dict[str, Any]:
    """Resolve a reference to a dict with ``name``, ``type`` (in DATASETS), ``root`` and the reader's options.

    Raises:
        BenchError: the data set is unknown, or ``cache`` is not an integer.
    """
    if isinstance(reference, dict):
        if "type" not in reference:
            raise BenchError("a data set needs a 'type'", where=reference, fix="e.g. dict(type='chexpert')")
        resolved = {"name": reference["type"], "root": reference["type"], **reference}
    elif reference.lower().endswith(TABLES):
        resolved = {"name": Path(reference).stem, "type": "csv", "root": reference}
    elif reference.lower().endswith(".npz") and "@" not in reference:
        resolved = {"name": "medmnist", "type": "medmnist", "root": reference}
    elif generator := generator_of(reference):
        maker, kind = GENERATORS.get(generator), reference.removeprefix(f"{generator}:")
        name = f"{kind} ({getattr(maker, 'remark', 'synthetic')})"
        resolved = {"name": name, "type": kind, "root": reference, **maker.options(kind)}
    else:
        kind, _, root = reference.partition("@")
        resolved = {"name": kind, "type": kind, "root": root or kind}
    if ":" not in resolved["type"] and resolved["type"] not in DATASETS.names():
        if isinstance(reference, str) and Path(reference).is_file():
            raise _no_table(Path(reference))
        raise unknown_name("data set", resolved["type"], DATASETS.names())
    size = resolved.get("cache")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int)):
        what = f"is {size!r}; must be the longest side of the cached images"
        raise BenchError(what, where="cache", fix="e.g. cache=256")
    return resolved


def _no_table(path: Path) -> BenchError:
    """Return the error for a file that is neither a table nor an archive of MedMNIST, by its suffix."""
    suffixes = ", ".join(TABLES)
    try:
        kind = what_is(path)
    except OSError as error:
        return BenchError(f"cannot be read ({error.strerror})", where=path, fix="check its permissions")
    if kind:
        return BenchError(kind.what, where=path, fix=f"{kind.fix}; a table has the suffix {suffixes}")
    what = f"is a file, but no data set; a table of your own images has the suffix {suffixes}"
    return BenchError(what, where=path, fix="rename it if it is such a table, or name a data set")
