"""Write the sample benchmark into a folder: the demo's data sets together, the others one by one.

Several processes share the patients of all data sets, a few patients at a time. Run as a program, the module
is one of these processes: ``python -m prior_bench.sample.generate FOLDER SIZE BENCHMARK``, see :func:`serve`.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_folder
from prior_bench.io.leftovers import remove_leftovers
from prior_bench.runtime import progress
from prior_bench.sample.cohorts import BENCHMARKS, SAMPLE, Benchmark
from prior_bench.sample.layouts import (
    Record,
    chexpert,
    covidx,
    mimic_cxr,
    nih_chestxray14,
    object_cxr,
    rsna_pneumonia,
    siim_acr,
    vindr_cxr,
)
from prior_bench.sample.sizes import size_of

WRITERS = {module.NAME: module for module in (mimic_cxr, chexpert, rsna_pneumonia, siim_acr)}
"""Writers of the demo's data sets, which are written together."""
FURTHER = {module.NAME: module for module in (covidx, object_cxr, nih_chestxray14, vindr_cxr)}
"""Writers of the data sets that only the papers' suites need; each is written when it is first needed."""

AT_A_TIME = 12
"""Number of patients that a process takes at a time; it is small, so that all processes finish together."""

README = """SYNTHETIC

Every image, report, label, box, mask and identifier in this folder was computed by prior-bench.
No patient is behind any of it, and no number measured on it says anything about clinical use.
The folders follow the layouts of MIMIC-CXR-JPG (with MS-CXR's annotations of sentences in ms_cxr),
CheXpert-v1.0-small, RSNA Pneumonia (stage 2) and SIIM-ACR Pneumothorax, and, where they were asked for,
COVIDx, Object-CXR, NIH ChestX-ray14 and VinDr-CXR, so that the readers for the real data sets can be run
on them.
{people}
Delete this folder at any time: it is written again, bit for bit the same, when it is next needed.
"""
PEOPLE = {
    True: """The parts train and validate of mimic_cxr are the {pretraining} cohort (seed {seed}).
Its part test and all other data sets are the {test} cohort (seed {test_seed}), who are other people.""",
    False: "All data sets are the {test} cohort (seed {test_seed}).",
}


class Share(NamedTuple):
    """Some patients of a data set, from ``start`` to ``stop`` (exclusive)."""

    name: str
    start: int
    stop: int


def generate(
    folder: Path, size: str = "default", benchmark: Benchmark = SAMPLE, processes: int | None = None
) -> Path:
    """Write the demo's data sets; keep the existing ones if another process was faster.

    They are written into a temporary folder next to ``folder``, which is renamed when it is complete.

    Args:
        folder: folder to create.
        size: a name in SIZES.
        benchmark: the benchmark; with the size, it determines every byte.
        processes: number of processes (default: the size's, but at most one per core); with 1, this process
            writes everything. The result does not depend on it.

    Returns:
        ``folder``.

    Raises:
        BenchError: the folder cannot be written, or a process failed.
    """
    with _written_beside(folder) as temporary:
        for name in WRITERS:
            (temporary / name).mkdir()
        _write(list(WRITERS), temporary, size, benchmark, processes, "sample benchmark")
        (temporary / "README.txt").write_text(_readme(benchmark))
    return folder


def add(folder: Path, name: str, size: str = "default", benchmark: Benchmark = SAMPLE) -> Path:
    """Write one of the :data:`FURTHER` data sets into an existing sample benchmark.

    Returns:
        The folder of the data set.

    Raises:
        BenchError: the folder cannot be written.
    """
    with _written_beside(folder / name) as temporary:
        (temporary / name).mkdir()
        _write([name], temporary, size, benchmark, None, f"sample {name}")
        for path in (temporary / name).iterdir():
            path.rename(temporary / path.name)
        (temporary / name).rmdir()
    return folder / name


def write_one(name: str, root: Path, size: str, benchmark: Benchmark = SAMPLE) -> None:
    """Write one data set to ``root / name`` in this process."""
    (root / name).mkdir(parents=True)
    _write([name], root, size, benchmark, 1, f"sample {name}")


def count_images(name: str, size: str, benchmark: Benchmark) -> int:
    """Return the number of images in a data set."""
    patients = _writer(name).cohort(size_of(size, benchmark), benchmark)
    return sum(len(study.views) for patient in patients for study in patient.studies)


@contextmanager
def _written_beside(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes ``folder``, unless another process has already written it."""
    # killed processes leave temporary folders; a running process takes much less than an hour
    remove_leftovers(folder.parent, folder.name, older_than=3600)
    fix = "set PRIOR_BENCH_DATA to a folder that you may write to, with room for about 100 MB"
    with whole_folder(folder, fix, first_wins=True) as temporary:
        yield temporary


def _readme(benchmark: Benchmark) -> str:
    first, test = benchmark.pretraining, benchmark.test
    people = PEOPLE[benchmark.pretrains].format(
        pretraining=first.name, seed=first.seed, test=test.name, test_seed=test.seed
    )
    return README.format(people=people)


def _writer(name: str) -> ModuleType:
    return WRITERS[name] if name in WRITERS else FURTHER[name]


def _write(
    names: list[str], root: Path, size: str, benchmark: Benchmark, processes: int | None, what: str
) -> None:
    """Write whole data sets: first the images, by all processes, and then the tables, by this process."""
    processes = processes or min(size_of(size, benchmark).processes, os.cpu_count() or 1)
    total = sum(count_images(name, size, benchmark) for name in names)
    shares = _shares(names, size, benchmark)
    written = _in_this_process if processes == 1 else _in_processes
    records: dict[Share, list[Record]] = {share: [] for share in shares}
    for share, record in progress(written(shares, root, size, benchmark, processes), what, total=total):
        records[share].append(record)
    for name in names:
        ordered = [record for share in shares if share.name == name for record in records[share]]
        _writer(name).finish(root / name, size_of(size, benchmark), benchmark, ordered)


def _shares(names: list[str], size: str, benchmark: Benchmark) -> list[Share]:
    return [
        Share(name, start, start + AT_A_TIME)
        for name in names
        for start in range(0, len(_writer(name).cohort(size_of(size, benchmark), benchmark)), AT_A_TIME)
    ]


def _records(share: Share, root: Path, size: str, benchmark: Benchmark) -> Iterator[Record]:
    chosen = slice(share.start, share.stop)
    yield from _writer(share.name).write(root / share.name, size_of(size, benchmark), benchmark, chosen)


Written = Iterator[tuple[Share, Record]]


def _in_this_process(
    shares: list[Share], root: Path, size: str, benchmark: Benchmark, processes: int
) -> Written:
    for share in shares:
        for record in _records(share, root, size, benchmark):
            yield share, record


def _in_processes(
    shares: list[Share], root: Path, size: str, benchmark: Benchmark, processes: int
) -> Written:
    """Write shares in new interpreters. Forks are not safe: the caller may have threads, as torch does."""
    todo: queue.SimpleQueue[Share] = queue.SimpleQueue()
    for share in shares:
        todo.put(share)
    done: queue.SimpleQueue[tuple[Share, Record] | None] = queue.SimpleQueue()
    with ThreadPoolExecutor(processes) as pool:
        jobs = [pool.submit(_run, todo, root, size, benchmark, done.put) for _ in range(processes)]
        running = len(jobs)
        try:
            while running:
                item = done.get()
                if item is None:
                    running -= 1
                else:
                    yield item
        finally:
            _drop(todo)  # if interrupted, the pool would wait until all is written
        for job in jobs:
            job.result()


def _run(
    todo: queue.SimpleQueue[Share],
    root: Path,
    size: str,
    benchmark: Benchmark,
    tell: Callable[[tuple[Share, Record] | None], None],
) -> None:
    """Let a process write share after share; pass every record to ``tell``, and None at the end."""
    command = [sys.executable, "-P", "-m", __name__, str(root), size, benchmark.name]
    path = os.pathsep.join(entry or os.curdir for entry in sys.path)
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    try:
        with (
            tempfile.TemporaryFile("w+") as complaints,
            subprocess.Popen(  # nosec B603
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            ) as process,
        ):
            complete = _hand_out(todo, process, tell)
            if process.wait() or not complete:
                _drop(todo)  # the other processes can stop
                complaints.seek(0)
                last = (complaints.read().strip().splitlines() or [f"exit status {process.returncode}"])[-1]
                fix = "see that there is room on the disk (about 100 MB), then run it again"
                raise BenchError(f"writing the sample data failed: {last}", where=root, fix=fix)
    finally:
        tell(None)


def _drop(todo: queue.SimpleQueue[Share]) -> None:
    """Hand out nothing more."""
    with suppress(queue.Empty):
        while todo.get_nowait():
            pass


def _hand_out(
    todo: queue.SimpleQueue[Share],
    process: subprocess.Popen[str],
    tell: Callable[[tuple[Share, Record] | None], None],
) -> bool:
    """Give a process shares until none is left; return False if the process ends early."""
    assert process.stdin is not None and process.stdout is not None, "both are piped"
    try:
        while True:
            try:
                share = todo.get_nowait()
            except queue.Empty:
                process.stdin.close()
                return True
            process.stdin.write(json.dumps(share) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                record = json.loads(line)
                if record is None:
                    break
                tell((share, record))
            else:
                return False
    except BrokenPipeError:
        with suppress(BrokenPipeError):
            process.stdin.close()
        return False


def serve(root: Path, size: str, benchmark: Benchmark) -> None:
    """Write the shares from the standard input, one per line; after each, print its records and null."""
    parent = os.getppid()
    for line in sys.stdin:
        for record in _records(Share(*json.loads(line)), root, size, benchmark):
            if os.getppid() != parent:
                return  # it was killed, and another process may remove the folder
            print(json.dumps(record))
        print("null", flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2], BENCHMARKS[sys.argv[3]])
