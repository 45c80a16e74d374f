"""From the cells that are to be run to jobs: pre-trainings, evaluations that may wait for them, the table."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prior_bench.cluster.costs import Costs
from prior_bench.cluster.settings import nodes_and_gpus
from prior_bench.schema.cluster import ClusterFile
from prior_bench.schema.cluster_jobs import Kind
from prior_bench.suites.plan import Plan, PlannedRun


@dataclass(frozen=True)
class PlannedJob:
    """A job that is not submitted yet.

    Attributes:
        kind: of the job.
        title: for people.
        keys: of its cells; of a pre-training, the identity of the weights.
        runs: its cells; of a pre-training, one that uses the weights.
        needs: identity of weights that a pre-training must make first; empty if it waits for none.
        seconds: that it will take; None if it is not known.
        shape: nodes, and GPUs per node, of a pre-training.
    """

    kind: Kind
    title: str
    keys: tuple[str, ...]
    runs: tuple[PlannedRun, ...] = ()
    needs: str = ""
    seconds: float | None = None
    shape: tuple[int, int] | None = None


def plan_jobs(
    plan: Plan,
    waiting: Iterable[PlannedRun],
    cluster: ClusterFile,
    costs: Costs,
    pretrained: Path,
    queued: Collection[str] = (),
) -> list[PlannedJob]:
    """Return the jobs of some cells, each pre-training before the evaluations that need it.

    Args:
        plan: that the cells belong to.
        waiting: cells that are neither recorded nor queued.
        cluster: how large jobs are.
        costs: how long cells take.
        pretrained: folder of the pre-trainings.
        queued: identities of weights whose pre-training is queued or running.

    Raises:
        BenchError: the GPUs of a pre-training do not fill nodes.
    """
    groups: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in waiting:
        groups.setdefault((run.spec.backbone["name"], run.identity), []).append(run)
    jobs: list[PlannedJob] = []
    begun = set(queued)
    for (name, identity), runs in groups.items():
        source: Any = plan.sources[name]
        title, needs = f"{name} seed {runs[0].spec.seed}", ""
        if hasattr(source, "is_made") and not source.is_made(runs[0].spec.seed, pretrained):
            needs = identity
            if identity not in begun:
                begun.add(identity)
                shape = nodes_and_gpus(cluster, source.gpus_wanted(runs[0].spec.seed, pretrained), title)
                jobs.append(PlannedJob("pretraining", title, (identity,), (runs[0],), shape=shape))
        for packed, seconds in pack(runs, cluster, costs):
            keys = tuple(run.key for run in packed)
            jobs.append(PlannedJob("evaluation", title, keys, tuple(packed), needs, seconds))
    return jobs


def pack(
    runs: Iterable[PlannedRun], cluster: ClusterFile, costs: Costs
) -> Iterator[tuple[list[PlannedRun], float | None]]:
    """Yield the cells of each job, and its seconds if they are known.

    Each cell takes its share of a job: of the wanted minutes, or one of the wanted number of cells. A cell
    that takes longer has a job of its own.
    """
    wanted = 60 * cluster.evaluation.minutes_per_job
    packed: list[PlannedRun] = []
    filled, total, known = 0.0, 0.0, True
    for run in runs:
        seconds = costs.seconds(run)
        share = 1 / cluster.evaluation.cells_per_job if seconds is None else seconds / wanted
        if packed and filled + share > 1 + 1e-9:
            yield packed, total if known else None
            packed, filled, total, known = [], 0.0, 0.0, True
        packed.append(run)
        filled, total, known = filled + share, total + (seconds or 0.0), known and seconds is not None
    if packed:
        yield packed, total if known else None
