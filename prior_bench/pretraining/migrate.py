"""Migration of folders of pre-trained weights from identities of earlier schemes to current identities."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prior_bench.bundled import importable
from prior_bench.checkpoints.native import read_info
from prior_bench.data.generated import generated
from prior_bench.data.references import OWN_FILES
from prior_bench.data.texts import prompts
from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.folder import FINAL, RUN, alone, noted
from prior_bench.pretraining.identity import OURS, run_identity, run_versions
from prior_bench.registry import DATASETS, METHODS
from prior_bench.versions import finished_before

NOT_RUN = "; what a stored file names is not looked up; if it is yours: --own"


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


def migrate_folders(root: Path, *, dry_run: bool = False, own: bool = False) -> MigratedFolders:
    """Give the finished runs below ``root`` their current identity and the folder name that contains it.

    ``run.json`` is written before the folder is renamed; if the process is killed, the same call continues.

    Args:
        root: folder of the folders of runs.
        dry_run: whether to say what would happen, and write nothing.
        own: whether the folders are the user's own, so that code that their configs name may be looked up.
    """
    result = MigratedFolders()
    for note in sorted(root.glob(f"*/{RUN}")):
        folder, told = note.parent, noted(note.parent)
        try:
            identity = identity_today(folder, told, own=own)
            old = _identities(told, folder)
        except BenchError as error:
            result.left[folder] = error.what
            continue
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


def identity_today(folder: Path, told: dict[str, Any], *, own: bool = False) -> str:
    """Return the current identity of a finished run.

    Args:
        folder: folder of the run.
        told: result of :func:`prior_bench.pretraining.folder.noted` for this folder.
        own: see :func:`migrate_folders`.

    Raises:
        BenchError: the run is not finished, its config names code, or the current code may give different
            weights.
    """
    final = folder / FINAL
    if not final.is_file():
        raise BenchError("training is not finished", where=folder)
    info = read_info(final)
    data = info.provenance.get("data") if info else None
    if not isinstance(data, dict) or not data.get("fingerprint"):
        raise BenchError("the weights do not say what data they were trained on", where=final)
    if not own:
        require_registered(told.get("config"), folder)
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


def _identities(told: dict[str, Any], folder: Path) -> list[str]:
    """The identity that a run has and those that it had."""
    found = [told.get("identity"), *(told.get("migrated_from") or [])]
    if not found[0] or not all(isinstance(one, str) for one in found):
        raise BenchError(f"{RUN} holds no identity", where=folder)
    return found


def require_registered(config: Any, folder: Path) -> None:
    """Raise BenchError if a stored config names code or files: it may be somebody else's."""
    if not isinstance(config, dict):
        raise BenchError(f"{RUN} holds no config", where=folder)
    method, data, validation = (config.get(part) or {} for part in ("method", "data", "validation"))
    if not all(isinstance(part, dict) for part in (method, data, validation)):
        raise BenchError(f"{RUN} holds no config", where=folder)
    named = [("method", METHODS, method.get("type"))]
    dataset = data.get("dataset")
    kind = dataset.get("type") if isinstance(dataset, dict) else str(dataset).partition("@")[0]
    if not (isinstance(dataset, str) and (generated(dataset) or dataset.lower().endswith(OWN_FILES))):
        named.append(("data set", DATASETS, kind))
    for what, registry, name in named:
        if registry.registered(str(name)) is None:
            raise BenchError(
                f"its config names the {what} '{name}', which is not registered{NOT_RUN}", where=folder
            )
    for hook in config.get("hooks") or ():
        name = str(hook.get("type", "")) if isinstance(hook, dict) else ""
        if "." in name and (name.partition(".")[0] not in OURS or importable(name) != name):
            raise BenchError(f"its config names the hook '{name}'{NOT_RUN}", where=folder)
    prompt_set = validation.get("prompts")
    if prompt_set is not None and prompt_set not in prompts.names():
        raise BenchError(f"its config names the prompts '{prompt_set}'{NOT_RUN}", where=folder)


def _rename(folder: Path, place: Path, told: dict[str, Any], identity: str) -> None:
    with alone(folder):
        if told["identity"] != identity:
            before = [told["identity"], *told.get("migrated_from", [])]
            write_json(folder / RUN, {**told, "identity": identity, "migrated_from": before})
    if place != folder:
        os.rename(folder, place)
