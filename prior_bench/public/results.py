"""Results of evaluations: metrics of one or several runs, with intervals, predictions and record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError, unknown_name
from prior_bench.escaping.page import markup
from prior_bench.report.runs import run_text
from prior_bench.store.cells import describe
from prior_bench.store.store import Store

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

RESAMPLES = 1000
"""Default number of bootstrap resamples of an interval."""


class Result:
    """The result of one run.

    Attributes:
        record: everything stored about the run except predictions; see :class:`prior_bench.api.RunRecord`.
        store: store with the record.
    """

    def __init__(self, record: RunRecord, store: Store, folder: Any = None):
        self.record, self.store = record, store
        self._folder = folder  # a temporary store exists as long as its results
        self._predictions: dict[str, np.ndarray] | None = None
        self._intervals: dict[int, dict[str, tuple[float, float]]] = {}

    @property
    def metrics(self) -> dict[str, float]:
        """All metrics by name, with values of single classes as ``"auroc/Edema"``; NaN if undefined."""
        return self.record.metrics

    @property
    def trivial(self) -> dict[str, dict[str, float]]:
        """The metrics of predictors that do not look at the image, by predictor."""
        return self.record.trivial

    @property
    def history(self) -> list[dict[str, float]]:
        """One dict per epoch or validation; empty if nothing was trained."""
        return self.record.history

    @property
    def protocol(self) -> dict[str, Any]:
        """The protocol as plain types."""
        return self.record.spec["protocol"]

    @property
    def primary(self) -> str:
        """The name of the protocol's first metric."""
        named = (*self.protocol["metrics"], *self.metrics)
        return next((name for name in named if name in self.metrics), "")

    @property
    def label(self) -> str:
        """Backbone, task, data, protocol, fraction or shots, and seed in words."""
        return describe(self.record.spec)

    @property
    def predictions(self) -> dict[str, np.ndarray]:
        """Predictions for each test sample, with ``id`` and ``patient_id``; empty if the task has none.

        See :class:`prior_bench.api.TaskResult`.
        """
        if self._predictions is None:
            there = (self.store.runs / self.record.key / "predictions.npz").is_file()
            self._predictions = self.store.predictions(self.record.key) if there else {}
        return self._predictions

    @property
    def trace(self) -> str:
        """The path of a failed run's traceback."""
        return str(self.store.runs / self.record.key / "traceback.txt")

    def intervals(self, resamples: int = RESAMPLES) -> dict[str, tuple[float, float]]:
        """Compute 95 % bootstrap intervals of the protocol's metrics, by patient or, if unknown, by image.

        Args:
            resamples: number of bootstrap resamples.

        Returns:
            (lower, upper) by metric; empty if the task has no predictions.
        """
        if not self.predictions:
            return {}
        if resamples not in self._intervals:
            self._intervals[resamples] = run_text.intervals(self.record, self.store, resamples)
        return self._intervals[resamples]

    def interval(self, metric: str | None = None, resamples: int = RESAMPLES) -> tuple[float, float]:
        """Compute the 95 % bootstrap interval of one metric, by default the primary one.

        Raises:
            BenchError: there is no interval of this metric.
        """
        metric = metric or self.primary
        found = self.intervals(resamples)
        if metric not in found:
            raise unknown_name("metric with an interval", metric, list(found), where=self.label)
        return found[metric]

    def table(self, resamples: int = RESAMPLES) -> pd.DataFrame:
        """Return one line per metric: value, lower and upper bound, and the values of trivial predictors.

        Args:
            resamples: number of bootstrap resamples; with 0, the bounds are NaN.
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
        """Return what ``prior-bench eval`` prints: weights, data, all metrics with intervals, a summary."""
        return run_text.result_text(self.record, self.store, resamples)

    def __repr__(self) -> str:
        if self.record.status == "failed":
            return f"<Result {self.label}: failed: {self.record.error}>"
        return f"<Result {run_text.summary(self.record, {})}>"

    def _repr_html_(self) -> str:
        note = "<p>Synthetic data: generated phantoms, not patients.</p>" if self.record.synthetic else ""
        return f"<p>{markup(self.label)}</p>{_html(self.table())}{note}"


class Results(list[Result]):
    """The results of several runs, in the order of protocols, fractions, shots and seeds."""

    def table(self) -> pd.DataFrame:
        """Return one line per run: its settings, and all metrics except parts (``"auroc/Edema"``)."""
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
                    **({"shots": spec["shots"]} if "shots" in spec else {"fraction": spec["fraction"]}),
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
    """Format a table as pandas does in a notebook, with a dash for missing values."""
    return frame.to_html(float_format=lambda value: f"{value:.3f}", na_rep="–", notebook=True)


def one_run(run: Result | str) -> Any:
    """Return a recorded run from a Result, its key, ``SUITE/KEY`` or folder.

    Raises:
        BenchError: there is no such run, or several.
    """
    from prior_bench.report.runs.find_run import find_run
    from prior_bench.report.runs.reported_runs import run_of

    if isinstance(run, Result):
        return run_of(run.record.spec, run.record.key, "", run.record, run.store)
    if not isinstance(run, str):
        raise BenchError(f"is a {type(run).__name__}, neither a Result nor a record's key", where="compare")
    return find_run(run)
