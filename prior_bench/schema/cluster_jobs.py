"""Models of what ``prior-bench submit`` writes for its jobs: a file per job, and the list of all jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from prior_bench.schema.records import Anything, Named, Stored, StoredSpec

Kind = Literal["pretraining", "evaluation", "table"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
JobNumber = Annotated[str, Field(pattern=r"^([0-9]{1,12}(_[0-9]{1,9})?)?$")]
"""Slurm's number of a job or of a task of an array; empty until Slurm has said it."""


class StoredRun(Stored):
    """A cell of a job, with all that its key was made from."""

    spec: StoredSpec
    key: Named
    identity: str
    fingerprint: str
    source: str
    leaks: list[str] = []
    versions: dict[str, int]


class StoredTraining(Stored):
    """A pre-training: the row that names it, and all that its identity was made from."""

    row: Anything
    seed: Annotated[int, Field(ge=0)]
    identity: Named
    fingerprint: str
    source: str
    versions: dict[str, int]


class StoredOptions(Stored):
    """The suite of a job, and how it computes."""

    name: Named
    called: Named
    data: str = ""
    threads: Annotated[int, Field(ge=1)] | None = None
    deterministic: bool = False
    allow_leakage: bool = False
    workers: Annotated[int, Field(ge=0)] = 0


class StoredJob(Stored):
    """The file of a job.

    An evaluation also has the ``trainings`` of its backbone, if it is pre-trained by the suite.
    """

    kind: Kind
    title: Named
    suite: StoredOptions
    runs: list[StoredRun] = []
    trainings: list[StoredTraining] = []


class SubmittedJob(Stored):
    """A job that was given to Slurm.

    Attributes:
        token, index: comment of its submission, and its place in the array; Slurm's number can be found again
            by them if this process is killed before it has noted the number.
        keys: of its cells; of a pre-training, the identity of the weights.
        file: name of its file.
        cancelled: whether the user has cancelled it.
    """

    token: Digest
    index: Annotated[int, Field(ge=0)] = 0
    number: JobNumber = ""
    kind: Kind
    title: Named
    keys: list[Named]
    file: Annotated[str, Field(pattern=r"^[0-9a-f]{16}\.json$")]
    submitted: str = ""
    cancelled: bool = False


class SubmittedJobs(Stored):
    """``jobs.json``: all jobs of a suite that are known."""

    jobs: list[SubmittedJob]


def plain_model(model: Stored) -> dict[str, Any]:
    """Return a model as plain types, without what was not set: a spec keeps the fields that it has."""
    return model.model_dump(mode="json", exclude_unset=True)
