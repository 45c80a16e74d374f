"""Bootstrap draws of a run's metrics, which are cached because some metrics are slow to resample."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from prior_bench.api import RunRecord, Task
from prior_bench.errors import BenchError
from prior_bench.io.bounded import hash_of_file, most_arrays
from prior_bench.report.runs.array_cache import Arrays, cached_arrays
from prior_bench.report.runs.kept_arrays import keep_arrays
from prior_bench.report.runs.unfit import fitting
from prior_bench.store.store import PREDICTIONS, Store

if TYPE_CHECKING:
    from prior_bench.statistics.bootstrap import CountsFunction, ScoreFunction

RESAMPLES = 500
"""Number of draws of each bootstrap in a table."""
WORTH_STORING = 0.01
"""Seconds. Draws that are computed in less, as those from counts are, would take as long to be written."""
MOST_KEPT = 256 * 2**20
"""Bytes of predictions that are kept in memory, because the columns of a table need the same ones in turn."""


def metric_draws(record: RunRecord, store: Store, metric: str, n: int = RESAMPLES) -> np.ndarray:
    """Return ``n`` values of a metric on resampled patients; all runs on a test set get the same patients.

    Args:
        record: record of a finished run.
        store: store with its predictions.
        metric: name of a metric in the record.
        n: number of resamples.

    Returns:
        Float [n]; NaN if the metric is undefined on a resample.

    Raises:
        BenchError: the predictions are missing or have no patients, or the task is not installed.
    """
    name = metric.partition("/")[0]

    def draw() -> Arrays:
        from prior_bench.statistics.bootstrap import bootstrap

        task, predictions = task_of(record)(), load_predictions(store.root, record.key)
        with fitting(f"run {record.key}"):
            score, of_counts = scoring(task, (name,))
            return bootstrap(score, predictions, n=n, of_counts=of_counts)

    drawn = cached_arrays("bootstrap", _key(record, store, name, n), draw, worth=WORTH_STORING)
    return drawn.get(metric, np.full(n, np.nan))


def scoring(task: Task, metrics: tuple[str, ...]) -> tuple[ScoreFunction, CountsFunction | None]:
    """Return a task's functions for :func:`prior_bench.statistics.bootstrap.bootstrap`."""
    of_counts = getattr(task, "score_resamples", None)
    return (
        lambda found: task.score(found, metrics),
        of_counts and (lambda found, counts: of_counts(found, metrics, counts)),
    )


def task_of(record: RunRecord) -> type[Task]:
    """Return the registered task that can score a record's predictions.

    Raises:
        BenchError: the task is not installed. A record is data and never names a module to import.
    """
    from prior_bench.registry import TASKS

    name = record.spec["task"]
    task = TASKS.registered(name)
    if task is None:
        raise BenchError(f"the task '{name}' is not installed", where=record.key, fix="install its package")
    return task


@keep_arrays(MOST_KEPT)
def load_predictions(root: Path, key: str) -> dict[str, np.ndarray]:
    """Load the predictions of a run. They are read once and shared, so that they must not be changed.

    Raises:
        BenchError: the predictions are missing or damaged.
    """
    return Store(root).predictions(key)


def _key(record: RunRecord, store: Store, name: str, n: int) -> str:
    """Hash the predictions, the code that scores them, the metric and the number of draws.

    Raises:
        BenchError: the predictions are no regular file, or too large.
    """
    content = hash_of_file(store.runs / record.key / PREDICTIONS, most_arrays())
    content.update(f"{record.spec['task']} {_code(task_of(record))} {name} {n}".encode())
    return content.hexdigest()[:24]


@cache  # a table asks once for each run
def _code(task: type[Task]) -> str:
    """Hash the code that scores a task's predictions."""
    from prior_bench.store.source_hash import code_version

    return code_version(task, "prior_bench.metrics")
