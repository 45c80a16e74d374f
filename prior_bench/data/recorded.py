"""Open a data set that a file names: a record, a plan or a checkpoint, which somebody else may have made.

What stands in a file is data. It can name a registered reader, but no code (``module:reader``), and for
pictures only a folder under the data root or one that was opened here before because somebody named it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prior_bench.data.generated import generated, ready
from prior_bench.data.manifest import Manifest
from prior_bench.data.named_folders import is_known, is_noted
from prior_bench.data.open import locate, read_manifest
from prior_bench.errors import BenchError
from prior_bench.registry import DATASETS


def check_reader(reference: dict[str, Any], where: str) -> None:
    """Raise BenchError if a file names a reader that neither a package nor this process has registered.

    Args:
        reference: the reference as it stands in the file.
        where: what names it, for the message.
    """
    kind = str(reference.get("type", ""))
    if kind not in DATASETS.names() and DATASETS.registered(kind) is None:
        raise BenchError(
            f"names the reader '{kind}', which is not registered; code that a file names is not run",
            where=where,
            fix="if it is yours, name it on the command line or in a config, or make it an entry point",
        )


def open_recorded(reference: dict[str, Any], split: str, where: str) -> Manifest:
    """Open the data set of a record, to show its images.

    Args:
        reference: the resolved reference of the record.
        split: name of the split rule.
        where: what names it, for the message.

    Raises:
        BenchError: its reader is not registered, its data would have to be generated, or it cannot be opened.
            Of data that were not opened here before: the folder is not under the data root, or an image is
            outside the folder.
    """
    check_reader(reference, where)
    place = reference.get("root")
    if not ready(place):  # a file may not ask for minutes of work and gigabytes of disk
        raise BenchError(
            "its synthetic data are not on this machine",
            where=place,
            fix=f"make them: prior-bench data check {place}",
        )
    folder = locate(reference)[2]
    if not generated(place) and not is_known(folder):
        raise BenchError(
            f"names data outside the data root that were not opened here before: {folder}",
            where=where,
            fix="if they are yours, open them once: prior-bench data check REFERENCE",
        )
    manifest = read_manifest(reference, split)
    if not generated(place) and not is_noted(folder):
        _require_inside(manifest, folder, where)
    return manifest


def _require_inside(manifest: Manifest, folder: Path, where: str) -> None:
    """Raise BenchError if an image of data that nobody here has named is elsewhere, by its path or a link."""
    own = os.path.realpath(folder.parent if folder.is_file() else folder)
    for image in manifest.table["image"]:
        path = Path(os.path.realpath(manifest.root / str(image)))
        if not path.is_relative_to(own):
            raise BenchError(
                f"names data with an image outside their folder that were not opened here before: {path}",
                where=where,
                fix="look at their table; if you trust it, open them once: prior-bench data check REFERENCE",
            )
