"""What an evaluation gives: the numbers of one run or several, with intervals, predictions and record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError, unknown_name
from prior_bench.report.runs import run_text
from prior_bench.store.store import Store
from prior_bench.suites.plan import describe

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RESAMPLES = 1000
"""Bootstrap resamples of an interval, where no other number is asked for."""


class Result:
    """One finished run.

    Attributes:
        record: everything that is stored of it but the predictions; see :class:`prior_bench.api.RunRecord`.
        store: that holds it.
    """

    def __init__(self, record: RunRecord, store: Store, folder: Any = None):
        self.record, self.store = record, store
        self._folder = folder  # a temporary store lives as long as its results
        self._predictions: dict[str, np.ndarray] | None = None
        self._intervals: dict[int, dict[str, tuple[float, float]]] = {}

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics; values of single classes as ``"auroc/Edema"``. NaN where undefined."""
        return self.record.metrics

    @property
    def trivial(self) -> dict[str, dict[str, float]]:
        """The metrics of predictors that do not look at the image, by predictor."""
        return self.record.trivial

    @property
    def history(self) -> list[dict[str, float]]:
        """One dict per epoch or evaluation; empty where nothing was trained."""
        return self.record.history

    @property
    def protocol(self) -> dict[str, Any]:
        """Everything that fixes the number, as plain types."""
        return self.record.spec["protocol"]

    @property
    def primary(self) -> str:
        """Name of the protocol's first metric."""
        named = (*self.protocol["metrics"], *self.metrics)
        return next((name for name in named if name in self.metrics), "")

    @property
    def label(self) -> str:
        """Backbone, task, data, protocol, fraction and seed in words."""
        return describe(self.record.spec)

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        """What was predicted for each test sample, with ``id`` and ``patient_id``; see
        :class:`prior_bench.api.TaskResult`. Empty where a task predicts nothing."""
        if self._predictions is None:
            there = (self.store.runs / self.record.key / "predictions.npz").is_file()
            self._predictions = self.store.predictions(self.record.key) if there else {}
        return self._predictions

    @property
    def trace(self) -> str:
        """Path of the traceback of a failed run."""
        return str(self.store.runs / self.record.key / "traceback.txt")

    def intervals(self, resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
        """95 % bootstrap intervals of the protocol's metrics, by patient, or by image where none are named.

        Args:
            resamples: of the bootstrap.

        Returns:
            (lower, upper) by metric; empty where a task predicts nothing.
        """
        if not self.predictions:
            return {}
        if resamples not in self._intervals:
            self._intervals[resamples] = run_text.intervals(self.record, self.store, resamples)
        return self._intervals[resamples]

    def interval(self, metric: str | None = None, resamples: int = RESAMPLES) -> tuple[float, float]:
        """The 95 % bootstrap interval of one metric, by default the primary one.

        Raises:
            BenchError: there is no interval of this metric.
        """
        metric = metric or self.primary
        found = self.intervals(resamples)
        if metric not in found:
            raise unknown_name("metric with an interval", metric, list(found), where=self.label)
        return found[metric]

    def table(self, resamples: int = RESAMPLES) -> pd.DataFrame:
        """One line per metric: value, lower and upper bound, and the trivial predictors next to it.

        Args:
            resamples: of the bootstrap; 0 leaves the bounds NaN.
        """
        import pandas as pd

        bounds, nothing = self.intervals(resamples) if resamples else {}, (math.nan, math.nan)
        lines = {
            name: {
                "value": value,
                "lower": bounds.get(name, nothing)[0],
                "upper": bounds.get(name, nothing)[1],
                **{kind: values.get(name, math.nan) for kind, values in self.trivial.items()},
            }
            for name, value in self.metrics.items()
        }
        return pd.DataFrame.from_dict(lines, orient="index").rename_axis("metric")

    def text(self, resamples: int = RESAMPLES) -> str:
        """What ``prior-bench eval`` prints: weights, data, all metrics with intervals, a summary."""
        return run_text.result_text(self.record, self.store, resamples)

    def __repr__(self) -> str:
        if self.record.status == "failed":
            return f"<Result {self.label}: failed: {self.record.error}>"
        return f"<Result {run_text.summary(self.record, {})}>"

    def _repr_html_(self) -> str:
        import html

        note = "<p>Synthetic data: generated phantoms, not patients.</p>" if self.record.synthetic else ""
        return f"<p>{html.escape(self.label)}</p>{_html(self.table())}{note}"


class Results(list[Result]):
    """Several runs, in the order of protocols, fractions and seeds."""

    def table(self) -> pd.DataFrame:
        """One line per run: what was run, and every metric that is not of a single class or direction."""
        import pandas as pd

        lines = []
        for result in self:
            spec = result.record.spec
            overall = {name: value for name, value in result.metrics.items() if "/" not in name}
            lines.append(
                {
                    "backbone": spec["backbone"]["name"],
                    "task": spec["task"],
                    "data": spec["data"]["name"],
                    "protocol": spec["protocol"]["name"],
                    "fraction": spec["fraction"],
                    "seed": spec["seed"],
                    **overall,
                }
            )
        return pd.DataFrame(lines)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self)) or "<no results>"

    def _repr_html_(self) -> str:
        return _html(self.table())


def _html(frame: pd.DataFrame) -> str:
    """As pandas shows it in a notebook; missing numbers as a dash."""
    return frame.to_html(float_format=lambda value: f"{value:.3f}", na_rep="–", notebook=True)


def one_run(run: Result | str) -> Any:
    """A recorded run from a Result, or from its key, ``SUITE/KEY`` or folder.

    Raises:
        BenchError: no such run, or several.
    """
    from prior_bench.report.runs.find_run import find_run
    from prior_bench.report.runs.reported_runs import run_of

    if isinstance(run, Result):
        return run_of(run.record.spec, run.record.key, "", run.record, run.store)
    if not isinstance(run, str):
        raise BenchError(f"is a {type(run).__name__}, no Result and no key of a record", where="compare")
    return find_run(run)
