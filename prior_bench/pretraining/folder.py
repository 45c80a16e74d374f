"""The folder of a pre-training run: its claim, its content, and the files that remain after training."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.io.locks import one_at_a_time
from prior_bench.io.room import writing_to
from prior_bench.losses.gather import rank, world_size

FINAL = "model.safetensors"
STAGE = "stage_{}.safetensors"
BEST = "best_{}.safetensors"
HISTORY = "history.json"
RUN = "run.json"
STATE = re.compile(r"epoch_[0-9]{1,9}\.pth")


@contextmanager
def alone(work_dir: Path) -> Iterator[None]:
    """Claim the folder; wait if another process trains the same run.

    Two rows of a suite may have the same weights, and two suites the same row. The claim of a process that
    was killed is taken over. Processes that have waited find the run complete.
    """
    if rank() > 0:
        torch.distributed.barrier()
        yield
        return
    with one_at_a_time(work_dir, "waiting for another process that trains this run"):
        if world_size() > 1:
            torch.distributed.barrier()
        yield


def claim(work_dir: Path, run: dict[str, Any], resume: bool) -> bool:
    """Reserve the folder for a run; return whether the run is already complete.

    Raises:
        BenchError: the folder contains another run, and ``resume`` is true; or it contains a symbolic link.
    """
    with writing_to(work_dir):
        work_dir.mkdir(parents=True, exist_ok=True)
    note, identity = work_dir / RUN, run["identity"]
    if resume and note.is_file():
        other = noted(work_dir).get("identity")
        if other != identity:
            raise BenchError(
                f"holds run {other}, not {identity}: config, seed, data or a declared version has changed",
                where=work_dir,
                fix="choose another --work-dir, or start over with --no-resume",
            )
        if (work_dir / FINAL).is_file():
            return True
    for file in work_dir.iterdir():
        if file.is_symlink():  # log and states would be written to what the link stands for
            raise BenchError("is a symbolic link, which is not followed", where=file, fix="delete it")
    if world_size() > 1:
        torch.distributed.barrier()  # no process removes files before the others have checked them
    if rank() == 0:
        if not resume:
            for old in (*states(work_dir), *work_dir.glob("*.safetensors"), work_dir / HISTORY):
                old.unlink(missing_ok=True)
        write_json(note, run)
    if world_size() > 1:
        torch.distributed.barrier()
    return False


def noted(work_dir: Path) -> dict[str, Any]:
    """Return the content of ``run.json``, which describes the folder's run; empty if it cannot be read."""
    try:
        told = json.loads((work_dir / RUN).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def states(work_dir: Path) -> list[Path]:
    """Return the saved states of epochs, latest first."""
    found = (path for path in work_dir.glob("epoch_*.pth") if STATE.fullmatch(path.name))
    return sorted(found, key=epoch_of, reverse=True)


def epoch_of(state: Path) -> int:
    """Return the number of epochs that a state has completed."""
    return int(state.stem.rpartition("_")[2])


def latest_state(work_dir: Path) -> Path | None:
    """Return the latest complete state, or None. A complete torch file ends with the directory of its zip."""
    return next((path for path in states(work_dir) if zipfile.is_zipfile(path)), None)


def tidy(work_dir: Path) -> None:
    """Remove files that only resuming needs, and the empty folders that mmengine creates for its logs."""
    for state in (*states(work_dir), *work_dir.glob(BEST.format("*")), work_dir / "last_checkpoint"):
        state.unlink(missing_ok=True)
    for folder in work_dir.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
