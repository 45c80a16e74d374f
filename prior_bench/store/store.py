"""The store of one suite: a folder that stays consistent if a process is killed at any moment.

::

    <results root>/<suite>/
        plan.json                    the cells of the suite at its last run, with reasons for missing ones
        runs.log                     one line per run started, finished or failed
        runs/<key>/record.json       a RunRecord
        runs/<key>/predictions.npz   the task's predictions per test sample
        runs/<key>/traceback.txt     traceback of a failed run
        work/<key>/                  scratch folder of an unfinished run
        claims/<key>                 which process runs a cell (prior_bench.store.cell_claims)

A folder in ``runs`` is always complete: it is written under a temporary name and then renamed.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench import paths
from prior_bench.api import RunRecord
from prior_bench.errors import BenchError, StorageError
from prior_bench.io.arrays import read_arrays, write_arrays
from prior_bench.io.atomic import whole_folder, write_json
from prior_bench.io.bounded import not_followed, read_json, require_folders, require_no_links
from prior_bench.io.leftovers import DAY, remove_leftovers
from prior_bench.io.plain import plain
from prior_bench.io.room import FULL, cannot_write, of_the_disk, writing_to
from prior_bench.schema.records import check_plan, check_record
from prior_bench.store.cell_claims import CellClaims
from prior_bench.store.sample_shapes import check_samples

if TYPE_CHECKING:
    import numpy as np

WRITABLE = "set PRIOR_BENCH_RESULTS to a folder that can be written"
"""Remedy if the results cannot be written."""
RECORD, PREDICTIONS, TRACEBACK = "record.json", "predictions.npz", "traceback.txt"
"""Files of a run."""
KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a key may be: it is the name of a folder, and people paste it into commands."""
PLAN, LOG = "plan.json", "runs.log"
Stamp = tuple[int, int] | None
"""What :meth:`Store.stamp` returns."""
SCHEMA = 1
"""Version of the layout of record.json that is written; all older versions can be read."""


class Store:
    """The records of one suite.

    Args:
        root: folder of the suite; created when something is first written.
    """

    def __init__(self, root: Path):
        self.root = Path(root)
        self.runs = self.root / "runs"
        self.claims = CellClaims(self.root, WRITABLE)

    @classmethod
    def of(cls, suite: str) -> Store:
        """The store of a suite under the results root."""
        return cls(paths.led_here(paths.results_root() / suite))

    # --- reading ---

    def records(self) -> dict[str, RunRecord]:
        """All readable records by key, sorted by key."""
        keys = sorted(p.name for p in self.runs.glob("*") if not p.name.startswith("."))
        found = {key: self.get(key) for key in keys}
        return {key: record for key, record in found.items() if record is not None}

    def get(self, key: str) -> RunRecord | None:
        """The record of a key, or None; an unreadable record is reported on stderr and counts as missing."""
        try:
            return self.read(key)
        except FileNotFoundError:
            return None
        except BenchError as error:
            where = "" if error.where is None else f"{error.where}: "
            path = self.runs / key / RECORD
            print(
                f"warning: {path}: unreadable record ({where}{error.what}); it counts as not run",
                file=sys.stderr,
            )
            return None

    def read(self, key: str) -> RunRecord:
        """The record of a key.

        Raises:
            FileNotFoundError: there is none.
            BenchError: it is no record of this key; ``where`` is the field that is wrong.
        """
        path = self.runs / key / RECORD
        try:
            values = read_json(path)
        except BenchError as error:
            raise BenchError(error.what) from error
        record = _record(values)
        if not KEY.fullmatch(key):
            raise BenchError("is not of letters, digits, '.', '_' and '-'", where="key")
        if record.key != key:
            raise BenchError(f"is {record.key!r}, and its folder is {key!r}", where="key")
        return record

    def stamp(self, key: str) -> Stamp:
        """What changes whenever a record is written; None without one."""
        with suppress(OSError):
            os.close(os.open(self.runs, os.O_RDONLY))  # NFS then looks for records of other hosts
        try:
            status = os.stat(self.runs / key / RECORD)
        except OSError:
            return None
        return status.st_ino, status.st_mtime_ns

    def predictions(self, key: str) -> dict[str, np.ndarray]:
        """The arrays that the task predicted, by name.

        Raises:
            BenchError: there are no predictions, or the file is damaged or too large.
        """
        path = self.runs / key / PREDICTIONS
        try:
            arrays = read_arrays(path)
            check_samples(arrays)
        except BenchError as error:
            fix = error.fix or "run the suite with --overwrite all"
            raise BenchError(f"predictions cannot be read: {error.what}", where=path, fix=fix) from error
        return arrays

    def plan(self) -> list[dict[str, Any]]:
        """The cells saved by :meth:`save_plan`: ``spec``, ``key`` and ``reason``; empty without a plan.

        A plan that is damaged is reported on stderr and ignored.
        """
        path = self.root / PLAN
        try:
            values = read_json(path)
            check_plan(values)
        except FileNotFoundError:
            return []
        except BenchError as error:
            where = "" if error.where in (None, path) else f"{error.where}: "
            what = f"the plan cannot be read ({where}{error.what}); it is ignored"
            print(f"warning: {path}: {what}", file=sys.stderr)
            return []
        return values["runs"]

    # --- writing ---

    def save(self, record: RunRecord, predictions: dict[str, Any] | None = None, traceback: str = "") -> Path:
        """Write a record and return its folder; a record under the same key is replaced.

        Raises:
            BenchError: an array cannot be stored without pickle.
            StorageError: the disk is full, or the store cannot be written.
        """
        folder = self.runs / record.key
        arrays = {name: _storable(name, values) for name, values in (predictions or {}).items()}
        values = plain({**asdict(record), "schema": SCHEMA})
        text = json.dumps(values, indent=1, allow_nan=False).encode("utf-8")
        needed = sum(array.nbytes for array in arrays.values()) + len(traceback.encode("utf-8")) + len(text)
        with whole_folder(folder, WRITABLE, durable=True, needed=needed) as fresh:
            if arrays:
                write_arrays(fresh / PREDICTIONS, arrays)
            if traceback:
                (fresh / TRACEBACK).write_text(traceback, "utf-8")
            (fresh / RECORD).write_bytes(text)
        return folder

    def save_plan(self, runs: list[dict[str, Any]]) -> None:
        """Save the cells of the suite, with their keys or the reasons why they have none."""
        write_json(self.root / PLAN, plain({"schema": SCHEMA, "runs": runs}), WRITABLE)

    def log(self, event: str, key: str, label: str) -> None:
        """Append one line to the log: time, event (``started``, ``finished``, ``failed``), key, label."""
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = f"{time}\t{event}\t{key}\t{label}\n"
        place = self.root / LOG
        with writing_to(place, WRITABLE, len(line.encode("utf-8"))):
            self.root.mkdir(parents=True, exist_ok=True)
            with open(place, "a", encoding="utf-8", opener=not_followed) as file:
                file.write(line)

    def work_dir(self, key: str) -> Path:
        """The scratch folder of a run; files of a killed run are kept, because they allow it to resume."""
        folder = self.root / "work" / key
        require_folders(self.root, "work", f"work/{key}")
        require_no_links(folder)  # states and logs would be written to what one stands for
        with writing_to(folder, WRITABLE):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def drop_work(self, key: str) -> None:
        """Remove the scratch folder of a run."""
        require_folders(self.root, "work")
        shutil.rmtree(self.root / "work" / key, ignore_errors=True)

    def disk_error(self, error: Exception) -> StorageError | None:
        """The error of a disk that is full or may not be written to, if a run failed because of it."""
        if isinstance(error, StorageError):
            return error
        disk = of_the_disk(error)
        if disk is None:
            return None
        place = Path(disk.filename or self.root)
        if disk.errno not in FULL and not place.absolute().is_relative_to(self.root.absolute()):
            return None  # data that may not be read are the run's own fault
        return cannot_write(place, disk, WRITABLE)

    def prepare(self) -> None:
        """Make the folder of the runs, and remove what ended processes have left unfinished.

        Raises:
            StorageError: the store cannot be written.
        """
        require_folders(self.root, "runs")
        with writing_to(self.runs, WRITABLE):
            self.runs.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.runs):
            remove_leftovers(folder, older_than=DAY)
        self.claims.sweep()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Claim the whole store, for changes of many records.

        Raises:
            BenchError: another process is writing to the store.
        """
        self.prepare()
        busy, fix = "another process is running this suite", "wait for it, or stop it"
        with self.claims.whole(busy, fix), self.claims.plan():
            yield

    @contextmanager
    def changing_plan(self) -> Iterator[None]:
        """Claim the plan while it is read, changed and saved; waits for other processes."""
        with self.claims.plan():
            yield


def _record(values: Any) -> RunRecord:
    """A RunRecord from any schema up to the current one; fields that it lacks take their defaults.

    Raises:
        BenchError: the values are no record.
    """
    schema = values.get("schema", 0) if isinstance(values, dict) else 0
    if isinstance(schema, int) and schema > SCHEMA:
        raise BenchError(f"written by a newer prior-bench (schema {schema}, known: {SCHEMA})")
    check_record(values)
    known = {f.name for f in fields(RunRecord)}
    record = RunRecord(**{"status": "done", **{k: v for k, v in values.items() if k in known}})
    record.schema = SCHEMA
    record.metrics = _numbers(record.metrics)
    record.trivial = {name: _numbers(metrics) for name, metrics in record.trivial.items()}
    record.history = [_numbers(entry) for entry in record.history]
    return record


def _numbers(metrics: dict[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in metrics.items()}


def _storable(name: str, values: Any) -> np.ndarray:
    """An array that NumPy can store without pickle; object arrays of strings become fixed-width strings."""
    import numpy as np

    array = np.asarray(values)
    if array.dtype.kind == "O" or array.dtype.kind == "T":
        if not all(isinstance(item, str) for item in array.ravel()):
            raise BenchError("must contain numbers, booleans or strings", where=f"predictions['{name}']")
        array = array.astype(str)
    return array
