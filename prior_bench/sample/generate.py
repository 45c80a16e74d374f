"""Writes the sample benchmark into a folder: the demo's data sets together, the others one by one.

As a program it writes one data set: ``python -m prior_bench.sample.generate NAME FOLDER SIZE SEED``.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from prior_bench.errors import BenchError
from prior_bench.io.atomic import remove_leftovers, whole_folder
from prior_bench.runtime import progress
from prior_bench.sample.layouts import (
    chexpert,
    covidx,
    mimic_cxr,
    nih_chestxray14,
    object_cxr,
    rsna_pneumonia,
    siim_acr,
    vindr_cxr,
)
from prior_bench.sample.sizes import SIZES

SEED = 0
WRITERS = {module.NAME: module for module in (mimic_cxr, chexpert, rsna_pneumonia, siim_acr)}
"""Of the demo's data sets, the longest job first, so that two processes finish at about the same time."""
FURTHER = {module.NAME: module for module in (covidx, object_cxr, nih_chestxray14, vindr_cxr)}
"""Of those that only the papers' suites need: each is written when it is first asked for."""

README = """SYNTHETIC

Every image, report, label, box, mask and identifier in this folder was computed by prior-bench.
No patient is behind any of it, and no number measured on it says anything about clinical use.
The folders follow the layouts of MIMIC-CXR-JPG, CheXpert-v1.0-small, RSNA Pneumonia (stage 2) and
SIIM-ACR Pneumothorax, and, where they were asked for, COVIDx, Object-CXR, NIH ChestX-ray14 and VinDr-CXR,
so that the readers for the real data sets can be run on them.
Delete this folder at any time: it is written again, bit for bit the same, when it is next needed.
"""


def generate(folder: Path, size: str = "default", seed: int = SEED, processes: int | None = None) -> Path:
    """Write the demo's data sets, or leave them as they are where another process was first.

    It is put together in a temporary folder next to ``folder`` and renamed when complete.

    Args:
        folder: where it is to be.
        size: a name in SIZES.
        seed: determines every byte.
        processes: data sets written at a time (default: as the size says, at most one per core); with 1
            all is written in this process. The result does not depend on it.

    Returns:
        ``folder``.

    Raises:
        BenchError: the folder cannot be written, or a process failed.
    """
    processes = processes or min(SIZES[size].processes, os.cpu_count() or 1)
    with _written_beside(folder) as temporary:
        total = sum(count_images(name, size, seed) for name in WRITERS)
        written = _in_this_process if processes == 1 else _in_processes
        for _ in progress(written(temporary, size, seed, processes), "sample benchmark", total=total):
            pass
        (temporary / "README.txt").write_text(README)
    return folder


def add(folder: Path, name: str, size: str = "default", seed: int = SEED) -> Path:
    """Write one of the :data:`FURTHER` data sets into a sample benchmark that is there already.

    Returns:
        The folder of the data set.

    Raises:
        BenchError: the folder cannot be written.
    """
    target = folder / name
    with _written_beside(target) as temporary:
        images = _writer(name).write(temporary, SIZES[size], seed)
        for _ in progress(images, f"sample {name}", total=count_images(name, size, seed)):
            pass
    return target


@contextmanager
def _written_beside(folder: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``folder``, unless another process is first: it writes the same."""
    # killed processes leave theirs behind; an hour is far longer than any live one takes
    remove_leftovers(folder.parent, folder.name, older_than=3600)
    fix = "set PRIOR_BENCH_DATA to a folder that you may write to, with room for about 100 MB"
    with whole_folder(folder, fix, first_wins=True) as temporary:
        yield temporary


def count_images(name: str, size: str, seed: int) -> int:
    """Images of one data set."""
    patients = _writer(name).cohort(SIZES[size], seed)
    return sum(len(study.views) for patient in patients for study in patient.studies)


def write_one(name: str, root: Path, size: str, seed: int) -> Iterator[None]:
    """Write one data set to ``root / name``; yields after every image."""
    (root / name).mkdir(parents=True)
    yield from _writer(name).write(root / name, SIZES[size], seed)


def _writer(name: str) -> ModuleType:
    return WRITERS[name] if name in WRITERS else FURTHER[name]


def _in_this_process(root: Path, size: str, seed: int, processes: int) -> Iterator[None]:
    for name in WRITERS:
        yield from write_one(name, root, size, seed)


def _in_processes(root: Path, size: str, seed: int, processes: int) -> Iterator[None]:
    """Fresh interpreters rather than forks: the caller may have threads (torch) and any main module."""
    ticks: queue.SimpleQueue[bool] = queue.SimpleQueue()
    with ThreadPoolExecutor(processes) as pool:
        jobs = [pool.submit(_run, name, root, size, seed, ticks.put) for name in WRITERS]
        running = len(jobs)
        while running:
            if ticks.get():
                yield
            else:
                running -= 1
        for job in jobs:
            job.result()


def _run(name: str, root: Path, size: str, seed: int, tick: Callable[[bool], None]) -> None:
    """Write one data set in a process; ticks True for every image and False at the end."""
    command = [sys.executable, "-m", __name__, name, str(root), size, str(seed)]
    path = os.pathsep.join(entry or os.curdir for entry in sys.path)
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    try:
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=complaints, text=True
            ) as process,
        ):
            assert process.stdout is not None, "it is piped"
            for _ in process.stdout:
                tick(True)
            if process.wait():
                complaints.seek(0)
                last = (complaints.read().strip().splitlines() or [f"exit status {process.returncode}"])[-1]
                fix = "see that there is room on the disk (about 100 MB), then run it again"
                raise BenchError(f"writing the sample data failed: {last}", where=root / name, fix=fix)
    finally:
        tick(False)


if __name__ == "__main__":
    for _ in write_one(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])):
        print("image", flush=True)
