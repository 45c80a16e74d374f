"""The folder of a suite's jobs: a file per job, the list of all that were submitted, and submitit's files.

::

    <results root>/<suite>/cluster/
        jobs.json               every job that is known, with Slurm's number
        jobs/<digest>.json      what a job does: its cells with their keys
        submitit/<token>/       scripts, logs and submitit's pickles of a submission; private to the user

What a job does is data of bounded size. Nothing of ours is pickled. A job may run a config, so it must be
what was submitted. The folder may have come with a store of somebody else: no name makes a file in it ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_bytes, write_json
from prior_bench.io.bounded import read_json, require_folders
from prior_bench.io.locks import one_at_a_time
from prior_bench.io.room import writing_to
from prior_bench.schema.cluster_jobs import Stored, StoredJob, SubmittedJob, SubmittedJobs, plain_model
from prior_bench.schema.errors import attempted
from prior_bench.schema.records import check_plain
from prior_bench.store.store import WRITABLE, Store

FOLDER, LIST, FILES, SUBMITIT = "cluster", "jobs.json", "jobs", "submitit"
Model = TypeVar("Model", bound=Stored)


class JobsFolder:
    """The jobs of one suite.

    Args:
        store: of the suite.
    """

    def __init__(self, store: Store):
        self.store, self.root = store, store.root / FOLDER

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes from submitting jobs of this suite; waits for them."""
        require_folders(self.store.root, FOLDER, f"{FOLDER}/{FILES}", f"{FOLDER}/{SUBMITIT}")
        with one_at_a_time(self.root, "waiting for another process that submits this suite", fix=WRITABLE):
            yield

    def jobs(self) -> list[SubmittedJob]:
        """Return the jobs that were submitted; none if there is no list.

        Raises:
            BenchError: the list is damaged.
        """
        path = self.root / LIST
        try:
            return read_model(SubmittedJobs, path).jobs
        except FileNotFoundError:
            return []
        except BenchError as error:
            fix = "cancel the suite's jobs (squeue --me), and move this file away"
            raise BenchError(f"the list of jobs cannot be read: {error}", where=path, fix=fix) from error

    def save(self, jobs: list[SubmittedJob]) -> None:
        """Write the list of jobs."""
        write_json(self.root / LIST, {"jobs": [plain_model(job) for job in jobs]}, WRITABLE, durable=True)

    def add(self, job: StoredJob) -> str:
        """Write the file of a job, and return its name; the same job has the same file."""
        content = _content_of(job)
        name = _name_of(content)
        write_bytes(self.root / FILES / name, content, WRITABLE, durable=True)  # whatever was there
        return name

    def path(self, name: str) -> Path:
        """Return the place of a job's file."""
        return (self.root / FILES / name).absolute()

    def submitit(self, token: str) -> Path:
        """Return a new folder for submitit, which unpickles what lies there: nobody else may write to it.

        It is new for each submission: in one that came with a store, pickles and links could wait under the
        numbers of jobs.

        Args:
            token: of the submission, which nobody can guess.

        Raises:
            BenchError: the folder around it belongs to somebody else.
        """
        folder = self.root / SUBMITIT
        with writing_to(folder, WRITABLE):
            folder.mkdir(parents=True, exist_ok=True)
            status = os.lstat(folder)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                what = "is not a folder of yours, and what is in it would be run"
                raise BenchError(what, where=folder, fix="remove it")
            folder.chmod(0o700)
            (folder / token).mkdir(mode=0o700)
        return (folder / token).absolute()


def _content_of(job: StoredJob) -> bytes:
    return json.dumps(plain_model(job), indent=1, sort_keys=True).encode()


def _name_of(content: bytes) -> str:
    return f"{hashlib.sha256(content).hexdigest()[:16]}.json"


def read_model(model: type[Model], path: Path) -> Model:
    """Read a JSON file as a model.

    Raises:
        FileNotFoundError: there is none.
        BenchError: it is not what the model says.
    """
    values: Any = read_json(path)
    if not isinstance(values, dict):
        raise BenchError("is no JSON object", where=path)
    check_plain(values)
    try:
        return model.model_validate(values)
    except ValidationError:
        error = attempted(model, values)[1][0]
        raise BenchError(f"{error.where}: {error.what}", where=path) from None


def read_job(path: Path) -> StoredJob:
    """Read the file of a job.

    Raises:
        BenchError: there is none, it is damaged, or its name is not the hash of its content.
    """
    fix = "submit the suite again"
    try:
        job = read_model(StoredJob, path)
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise BenchError("there is no such job", where=path, fix=fix) from None
    except BenchError as error:
        raise BenchError(f"cannot be read: {error.what}", where=error.where, fix=fix) from error
    if path.name != _name_of(content) or _content_of(job) != content:
        raise BenchError(
            "is not what was submitted: its name is a hash of another content", where=path, fix=fix
        )
    return job
