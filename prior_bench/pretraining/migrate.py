"""Migration of folders of pre-trained weights from identities of earlier schemes to current identities."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prior_bench.checkpoints.native import read_info
from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.folder import FINAL, RUN, alone, noted
from prior_bench.pretraining.identity import run_identity, run_versions
from prior_bench.versions import finished_before


@dataclass
class MigratedFolders:
    """The outcome of a migration.

    Attributes:
        current: folders that already have their current identity.
        moved: new folder by old folder.
        left: reason by folder, for folders that are not changed.
    """

    current: list[Path] = field(default_factory=list)
    moved: dict[Path, Path] = field(default_factory=dict)
    left: dict[Path, str] = field(default_factory=dict)


def migrate_folders(root: Path, *, dry_run: bool = False) -> MigratedFolders:
    """Give the finished runs below ``root`` their current identity and the folder name that contains it.

    ``run.json`` is written before the folder is renamed; if the process is killed, the same call continues.
    """
    result = MigratedFolders()
    for note in sorted(root.glob(f"*/{RUN}")):
        folder, told = note.parent, noted(note.parent)
        try:
            identity = identity_today(folder, told)
        except BenchError as error:
            result.left[folder] = error.what
            continue
        old = [told.get("identity", ""), *told.get("migrated_from", [])]
        name = next(
            (folder.name.removesuffix(o) + identity for o in old if o and folder.name.endswith(o)), ""
        )
        place = folder.with_name(name or folder.name)
        if told["identity"] == identity and place == folder:
            result.current.append(folder)
        elif place != folder and place.exists():
            result.left[folder] = f"{place.name} is there already"
        else:
            result.moved[folder] = place
            if not dry_run:
                _rename(folder, place, told, identity)
    return result


def identity_today(folder: Path, told: dict[str, Any]) -> str:
    """Return the current identity of a finished run.

    Args:
        folder: folder of the run.
        told: result of :func:`prior_bench.pretraining.folder.noted` for this folder.

    Raises:
        BenchError: the run is not finished, or the current code may give different weights.
    """
    final = folder / FINAL
    if not final.is_file():
        raise BenchError("training is not finished", where=folder)
    info = read_info(final)
    data = info.provenance.get("data") if info else None
    if not isinstance(data, dict) or not data.get("fingerprint"):
        raise BenchError("the weights do not say what data they were trained on", where=final)
    try:
        config, seed = from_dict(told["config"], folder / RUN, stored=True), int(told["seed"])
    except (KeyError, TypeError, ValueError) as error:
        raise BenchError(f"{RUN} holds no config and seed ({error})", where=folder) from error
    versions, declared = run_versions(config), told.get("declared_versions")
    if declared is None:
        finished = datetime.fromtimestamp(final.stat().st_mtime, UTC).isoformat()
        if why := finished_before(finished, versions):
            raise BenchError(why, where=folder)
    elif changed := [name for name in versions if versions[name] != declared.get(name, 1)]:
        raise BenchError(f"its version of {changed[0]} is not today's", where=folder)
    return run_identity(config, str(data["fingerprint"]), seed)


def _rename(folder: Path, place: Path, told: dict[str, Any], identity: str) -> None:
    with alone(folder):
        if told["identity"] != identity:
            before = [told["identity"], *told.get("migrated_from", [])]
            write_json(folder / RUN, {**told, "identity": identity, "migrated_from": before})
    if place != folder:
        os.rename(folder, place)
