"""The folder of a pre-training run: its claim, its content, and the files that remain after training."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_json
from prior_bench.io.bounded import json_text, require_no_links
from prior_bench.io.locks import one_at_a_time
from prior_bench.io.room import writing_to

FINAL = "model.safetensors"
STAGE = "stage_{}.safetensors"
BEST = "best_{}.safetensors"
HISTORY = "history.json"
RUN = "run.json"
SHARED = ".shared-{}"
"""Name of a file by which processes see that they have the same folder."""
STATE = re.compile(r"epoch_([0-9]{1,9})(?:_step_([0-9]{1,9}))?\.pth")
"""Names of states: after a number of epochs, and within the next one after a number of its steps."""


@contextmanager
def alone(work_dir: Path) -> Iterator[None]:
    """Claim the folder; wait if another process trains the same run.

    Two rows of a suite may have the same weights, and two suites the same row. The claim of a process that
    was killed is taken over. Of several processes that train together, the first one claims.
    """
    with one_at_a_time(work_dir, "waiting for another process that trains this run"):
        yield


def is_complete(work_dir: Path, identity: str, resume: bool) -> bool:
    """Return whether a folder has the completed run of an identity; check that it may be trained in.

    Raises:
        BenchError: the folder contains another run, and ``resume`` is true; or it contains a symbolic link.
    """
    with writing_to(work_dir):
        work_dir.mkdir(parents=True, exist_ok=True)
    if resume and (work_dir / RUN).is_file():
        other = noted(work_dir).get("identity")
        if other != identity:
            raise BenchError(
                f"holds run {other}, not {identity}: config, seed, data or a declared version has changed",
                where=work_dir,
                fix="choose another --work-dir, or start over with --no-resume",
            )
        if (work_dir / FINAL).is_file():
            return True
    require_no_links(work_dir)  # log and states would be written to what one stands for
    return False


def claim(work_dir: Path, run: dict[str, Any], resume: bool, within_epochs: bool = True) -> None:
    """Reserve the folder for a run, and remove what it must not resume from.

    Args:
        work_dir: folder of the run.
        run: content of ``run.json``.
        resume: whether states are kept.
        within_epochs: whether those within epochs are kept, too.
    """
    if not within_epochs:  # before the note says that they are of this computation
        remove_mid_epoch(work_dir)
    if not resume:
        for old in (*states(work_dir), *work_dir.glob("*.safetensors"), work_dir / HISTORY):
            old.unlink(missing_ok=True)
    write_json(work_dir / RUN, run)


def noted(work_dir: Path) -> dict[str, Any]:
    """Return the content of ``run.json``, which describes the folder's run; empty if it cannot be read."""
    try:
        told = json.loads(json_text(work_dir / RUN))
    except (BenchError, OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def states(work_dir: Path) -> list[Path]:
    """Return the saved states, latest first."""
    found = (path for path in work_dir.glob("epoch_*.pth") if STATE.fullmatch(path.name))
    return sorted(found, key=lambda path: (epoch_of(path), step_of(path)), reverse=True)


def epoch_of(state: Path) -> int:
    """Return the number of epochs that a state has completed."""
    return int(_numbers(state)[0])


def step_of(state: Path) -> int:
    """Return the number of steps that a state has completed in the next epoch; 0 at the end of an epoch."""
    return int(_numbers(state)[1] or 0)


def _numbers(state: Path) -> tuple[str, str | None]:
    found = STATE.fullmatch(state.name)
    assert found, f"{state} is a state"
    return found[1], found[2]


def mid_epoch_name(epochs: int, steps: int) -> str:
    """Return the name of the state after so many epochs, and so many steps of the next one."""
    return f"epoch_{epochs}_step_{steps}.pth"


def remove_mid_epoch(work_dir: Path, *, before: int | None = None, keep: Path | None = None) -> None:
    """Remove states within epochs: all but one, or those that the state of a later epoch replaces.

    Args:
        work_dir: folder of the run.
        before: number of epochs that a state has completed; states within these epochs are removed.
        keep: the only state that stays.
    """
    for state in states(work_dir):
        if step_of(state) and state != keep and (before is None or epoch_of(state) < before):
            state.unlink(missing_ok=True)


def latest_state(work_dir: Path, within_epochs: bool = True) -> Path | None:
    """Return the latest complete state, or None. A complete torch file ends with the directory of its zip.

    Args:
        work_dir: folder of the run.
        within_epochs: whether a state within an epoch is useful.
    """
    found = (path for path in states(work_dir) if within_epochs or not step_of(path))
    return next((path for path in found if zipfile.is_zipfile(path)), None)


def tidy(work_dir: Path) -> None:
    """Remove files that only resuming needs, and the empty folders that mmengine creates for its logs."""
    kept = (*work_dir.glob(BEST.format("*")), *work_dir.glob(SHARED.format("*")))
    for state in (*states(work_dir), *kept, work_dir / "last_checkpoint"):
        state.unlink(missing_ok=True)
    for folder in work_dir.iterdir():
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
