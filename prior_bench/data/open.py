"""Open a data reference (:mod:`prior_bench.data.references`) as a Manifest."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.data.generated import generated, generated_folder
from prior_bench.data.manifest import Manifest
from prior_bench.data.named_folders import remember
from prior_bench.data.references import OWN_FILES, resolve
from prior_bench.data.returned import checked
from prior_bench.data.versions import data_versions
from prior_bench.errors import BenchError, unknown_name
from prior_bench.registry import DATASETS
from prior_bench.versions import raised


def open_dataset(reference: str | dict[str, Any], split: str = "default") -> Manifest:
    """Read a data set that a user named as a Manifest with the split rule ``split``.

    Raises:
        BenchError: the data set or the rule is unknown, or a file is missing or malformed.
    """
    manifest = read_manifest(reference, split)
    if not manifest.synthetic:
        remember(locate(reference)[2])
    return manifest


def read_manifest(reference: str | dict[str, Any], split: str = "default") -> Manifest:
    """Read a data set as a Manifest, from its prepared index if there is one.

    References out of files go through :mod:`prior_bench.data.recorded` first.

    Raises:
        BenchError: as for :func:`open_dataset`.
    """
    from prior_bench.data.prepared import index

    name, kind, folder, options, synthetic = locate(reference)
    manifest = None if synthetic else index.load(kind, folder, split, options)
    if manifest is None:
        manifest = checked(DATASETS.get(kind)(folder, split=split, **options), kind)
    versions = raised(data_versions(resolve(reference)))
    manifest = replace(manifest, name=name, synthetic=synthetic, versions=versions)
    size = resolve(reference).get("cache")
    if size is None:
        return manifest
    from prior_bench.data.images.cache.reference import use_cache

    known_as = (
        str(resolve(reference)["root"]) if synthetic else str(folder) if kind == "csv" else f"{kind}@{folder}"
    )
    return use_cache(manifest, size, known_as)


def prepare_dataset(reference: str | dict[str, Any], split: str = "default") -> tuple[Manifest, Path, bool]:
    """Read a data set and store its index (:mod:`prior_bench.data.prepared.index`).

    An index that is up to date is not written again.

    Returns:
        The manifest, the index file, and whether this call wrote it.

    Raises:
        BenchError: as for :func:`open_dataset`, or the data set is synthetic and needs no index.
    """
    from prior_bench.data.prepared import index

    if generated(resolve(reference)["root"]):
        raise BenchError("is generated, not prepared", where=str(reference), fix="use it directly")
    _, kind, folder, options, _ = locate(reference)
    manifest = index.load(kind, folder, split, options)
    if manifest is not None:
        return manifest, index.place_of(kind, folder, split, options), False
    manifest = checked(DATASETS.get(kind)(folder, split=split, **options), kind)
    return manifest, index.save(manifest, kind, folder, split, options), True


def locate(reference: str | dict[str, Any]) -> tuple[str, str, Path, dict[str, Any], bool]:
    """Return (name, type, folder or file, the reader's options, whether synthetic) of a reference.

    Raises:
        BenchError: the data set or an option is unknown, or the folder or file does not exist.
    """
    options = resolve(reference)
    name, kind, root = options.pop("name"), options.pop("type"), options.pop("root")
    options.pop("cache", None)  # it selects the images to open and is not an option of the reader
    synthetic = generated(root)
    if synthetic:
        folder = generated_folder(root)
    else:
        folder = Path(root)
        if not folder.exists() and not folder.is_absolute():
            folder = paths.data_root() / folder
    if not folder.exists():
        fix = f"put the data set there, set PRIOR_BENCH_DATA, or name its folder: {kind}@DIR"
        if folder.name.lower().endswith(OWN_FILES):
            fix = "name the file as it is seen from this folder, e.g. --data folder/images.csv"
        raise BenchError("no such file or folder", where=folder, fix=fix)
    _require_options(kind, DATASETS.get(kind), options)
    return name, kind, folder, options, synthetic


def _require_options(kind: str, reader: Callable, options: dict[str, Any]) -> None:
    known = inspect.signature(reader).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return
    for name in options:
        if name not in known or name in ("root", "split"):
            options_of = [n for n in known if n not in ("root", "split")]
            raise unknown_name(f"option of data set {kind}", name, options_of)
