"""What has become of a suite's cells and pre-trainings, from the store, its claims and Slurm's queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from prior_bench import paths
from prior_bench.api import RunSpec
from prior_bench.cluster.followed import FollowedJob, follow, keys_of
from prior_bench.cluster.jobs_folder import JobsFolder
from prior_bench.cluster.queue import QueuedJob
from prior_bench.errors import BenchError
from prior_bench.escaping.signs import one_line
from prior_bench.pretraining.folder import FINAL
from prior_bench.store.cells import describe
from prior_bench.store.store import Store
from prior_bench.suites.filters import fields_of, passes, read_filters

STATES = ("done", "running", "queued", "failed", "not submitted")
ENDED = "its job has ended without a record"
UNTRAINED = "its job has ended without weights"


@dataclass(frozen=True)
class State:
    """The state of a cell or of a pre-training.

    Attributes:
        what: in words.
        state: one of STATES.
        detail: node and job, or why it waits or has failed.
    """

    what: str
    state: str
    detail: str = ""


def cell_states(store: Store, queued: Mapping[str, QueuedJob], only: Iterable[str] = ()) -> list[State]:
    """Return the state of each cell of the suite's last plan that can be run.

    Args:
        store: of the suite.
        queued: Slurm's queue.
        only: filters, as for :func:`prior_bench.suites.plan.expand`.

    Raises:
        BenchError: no plan is stored, a filter cannot be read, or no cell passes.
    """
    wanted = read_filters(only)
    cells = {cell["key"]: cell["spec"] for cell in store.plan() if cell["key"] and not cell["reason"]}
    if not cells:
        raise BenchError("no cell was planned yet", where=store.root, fix="submit or run the suite first")
    cells = {key: spec for key, spec in cells.items() if passes(wanted, **fields_of(RunSpec(**spec)))}
    if not cells:
        raise BenchError("no cell passes these filters", where="--only", fix="loosen them")
    followed = follow(JobsFolder(store).jobs(), queued)
    alive = keys_of(followed, "evaluation")
    tried = {key for one in followed if not one.job.cancelled for key in one.job.keys}
    return [_of_cell(key, spec, store, alive.get(key), key in tried) for key, spec in cells.items()]


def training_states(store: Store, queued: Mapping[str, QueuedJob]) -> list[State]:
    """Return the state of each pre-training in the suite's list of jobs."""
    states: dict[str, State] = {}
    for one in follow(JobsFolder(store).jobs(), queued):
        if one.job.kind == "pretraining":
            for identity in one.job.keys:
                states[identity] = _of_training(identity, one)
    return list(states.values())


def status_text(suite: str, cells: list[State], trainings: list[State]) -> str:
    """Return the number of cells in each state; a line for each that runs or failed; the pre-trainings."""
    counts = Counter(cell.state for cell in cells)
    width = max(map(len, STATES))
    lines = [f"{suite}: {len(cells)} cells"]
    for state in STATES:
        lines.append(f"  {state:<{width}}  {counts[state]}")
        if state in ("running", "failed"):
            lines += [f"    {cell.what}: {cell.detail}" for cell in cells if cell.state == state]
    if trainings:
        lines.append("pre-trainings")
        for one in trainings:
            lines.append(f"  {one.state:<{width}}  {one.what}" + (f": {one.detail}" if one.detail else ""))
    return "\n".join(map(one_line, lines))


def _of_cell(key: str, spec: dict[str, Any], store: Store, job: FollowedJob | None, tried: bool) -> State:
    what = describe(spec)
    record = store.get(key)
    if record is not None and record.status == "done":
        return State(what, "done")
    owner = store.claims.owner(key)
    if job is not None and job.queued is not None and job.queued.runs and owner is not None:
        return State(what, "running", _place(job.queued))
    if owner is not None:
        return State(what, "running", str(owner))
    if job is not None:
        return State(what, "queued")
    if record is not None:
        return State(what, "failed", record.error.partition("\n")[0])
    return State(what, "failed", ENDED) if tried else State(what, "not submitted")


def _of_training(identity: str, one: FollowedJob) -> State:
    if any((paths.results_root() / "pretrain").glob(f"*-{identity}/{FINAL}")):
        return State(one.job.title, "done")
    if one.queued is None:
        return State(one.job.title, *(("not submitted",) if one.job.cancelled else ("failed", UNTRAINED)))
    if one.queued.runs:
        return State(one.job.title, "running", _place(one.queued))
    return State(one.job.title, "queued", f"job {one.queued.number}, {one.queued.reason}")


def _place(queued: QueuedJob) -> str:
    return f"on {queued.nodes} (job {queued.number})"
