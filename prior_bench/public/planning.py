"""Interpret and check the arguments of evaluations, and plan their runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from prior_bench.api import Backbone, BackboneSource
from prior_bench.backbones.reference import backbone_row
from prior_bench.data.references import resolve
from prior_bench.engine.execute import Overwrite
from prior_bench.engine.execute import evaluate as execute
from prior_bench.errors import BenchError
from prior_bench.public.results import Result, Results
from prior_bench.public.stores import as_store
from prior_bench.registry import TASKS
from prior_bench.store.changed_source import warn_of_records
from prior_bench.store.store import Store
from prior_bench.suites.plan import Plan, expand
from prior_bench.suites.resolve import make_source
from prior_bench.suites.suite import Suite, listed

if TYPE_CHECKING:
    from torch import nn

    Model = str | Path | Mapping[str, Any] | Backbone | BackboneSource | nn.Module

STORE = "eval"
"""Name of the store that single evaluations share, under the results root."""


def quiet(line: str) -> None:
    """Ignore a progress line."""


@dataclass
class Prepared:
    """Checked and planned evaluations that have not run.

    Attributes:
        plan: plan of the runs.
        store: store of the records.
        folder: folder of a temporary store, which exists as long as this object; or None.
    """

    plan: Plan
    store: Store
    folder: tempfile.TemporaryDirectory | None = None

    @property
    def protocols(self) -> list[dict[str, Any]]:
        """The resolved protocols, each once, as plain types."""
        named = {run.spec.protocol["name"]: run.spec.protocol for run in self.plan.runs}
        return list(named.values())

    @property
    def leaks(self) -> list[str]:
        """Clauses about test patients that were seen in training."""
        return list(dict.fromkeys(leak for run in self.plan.runs for leak in run.leaks))

    def run(
        self,
        *,
        device: str = "auto",
        workers: int = 0,
        gpus: str | None = None,
        overwrite: str = "failed",
        say: Callable[[str], None] = quiet,
    ) -> Results:
        """Run what the store lacks, and return the results of all runs, including failed ones.

        Args:
            device, workers, overwrite: see :func:`prior_bench.evaluate`.
            gpus: GPUs of which each gets a process, see :func:`prior_bench.runtime.named_gpus`.
            say: function that receives progress lines.
        """
        outcome = execute(
            self.plan,
            self.store,
            device=device,
            workers=workers,
            gpus=gpus,
            overwrite=Overwrite(overwrite),
            say=say,
        )
        warn_of_records((outcome.records[key] for key in outcome.skipped), "the same with overwrite all")
        return Results(Result(record, self.store, self.folder) for record in outcome.records.values())


def prepare(
    model: Model,
    task: str,
    data: str | Path | Mapping[str, Any],
    *,
    protocol: str | Sequence[str] | None = None,
    fraction: float | Sequence[float] | None = None,
    shots: int | Sequence[int] | None = None,
    seed: int | Sequence[int] = 0,
    labels: Sequence[str] = (),
    reader: Mapping[str, Any] | None = None,
    overrides: Mapping[str, Any] | None = None,
    prompts: str | Path | Mapping[str, Any] | None = None,
    name: str | None = None,
    tokenizer: str | Path | None = None,
    allow_leakage: bool = False,
    store: str | Path | Store | None = STORE,
    threads: int | None = None,
    deterministic: bool = False,
) -> Prepared:
    """Check the arguments of :func:`prior_bench.evaluate` and plan its runs; nothing is loaded or run."""
    row, given = _row(model, name, tokenizer)
    if given is not None and getattr(TASKS.get(task), "needs_maps", False):
        _require_maps(given, row["name"])
    shared = {
        "task": task,
        "data": data_reference(data, labels, reader),
        **({} if fraction is None else {"fractions": listed(fraction)}),
        **({} if shots is None else {"shots": listed(shots)}),
        "overrides": {**prompt_changes(task, prompts), **(overrides or {})},
    }
    named = dict.fromkeys(listed(protocol or default_protocol(task)))
    evaluations = [{**shared, "protocol": one} for one in named]
    suite = Suite(
        STORE,
        [row],
        evaluations,
        listed(seed),
        allow_leakage=allow_leakage,
        threads=threads,
        deterministic=deterministic,
        where=f"evaluation of {task}",
    )
    plan = expand(suite, given={} if given is None else {row["name"]: given})
    if reasons := {run.reason for run in plan.runs if run.reason}:
        raise BenchError(f"cannot be evaluated: {', '.join(sorted(reasons))}", where=row["name"])
    plan.partial = True  # the store is shared, and its plan keeps other evaluations
    if store is None:
        folder = tempfile.TemporaryDirectory(prefix="prior-bench-")
        return Prepared(plan, Store(Path(folder.name)), folder)
    return Prepared(plan, as_store(store))


def default_protocol(task: str) -> str:
    """Return the default protocol of a task.

    Raises:
        BenchError: the task is unknown or has no default protocol.
    """
    name = getattr(TASKS.get(task), "default_protocol", "")
    if not name:
        raise BenchError("this task has no default protocol", where=task, fix="give a protocol")
    return name


def data_reference(
    data: object, labels: Iterable[str] = (), reader: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a data reference (text, path or dict) as a dict with the reader's options, including ``labels``.

    Raises:
        BenchError: ``data`` is not a reference, or the data set is unknown.
    """
    if not isinstance(data, (str, Path, Mapping)):
        fix = "give the argument of open_dataset, e.g. 'my.csv' or 'sample:chexpert'"
        raise BenchError(f"is a {type(data).__name__}, not a data reference", where="data", fix=fix)
    found = resolve(dict(data) if isinstance(data, Mapping) else str(data))
    return {**found, **({"labels": list(labels)} if labels else {}), **(reader or {})}


def prompt_changes(task: str, prompts: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the changes of a protocol for other prompts, as the task defines them."""
    if prompts is None:
        return {}
    changes = getattr(TASKS.get(task)(), "with_prompts", None)
    if changes is None:
        raise BenchError("this task takes no prompts", where=task, fix="leave out prompts")
    return changes(prompts)


def source_of(model: Model, tokenizer: str | Path | None = None) -> BackboneSource:
    """Return the source of a model's weights, checked but not loaded.

    Raises:
        BenchError: the model is unknown or cannot be used.
    """
    row, given = _row(model, None, tokenizer)
    return make_source({"name": str(row["type"]), **row}) if given is None else given


def _row(
    model: Model, name: str | None, tokenizer: str | Path | None
) -> tuple[dict[str, Any], BackboneSource | None]:
    """Return a row of a suite, and its source if it already exists."""
    if isinstance(model, (str, Path)):
        row = backbone_row(str(model), None if tokenizer is None else str(tokenizer))
        return {**row, **({"name": name} if name else {})}, None
    if tokenizer is not None:
        raise BenchError("only a checkpoint file can have a tokenizer", where="tokenizer")
    if isinstance(model, Mapping):
        return {**model, **({"name": name} if name else {})}, None
    if not isinstance(model, Backbone) and all(
        hasattr(model, part) for part in ("identity", "load", "check")
    ):
        source = cast(BackboneSource, model)
        source.check()
        return {"name": name or source.name, "type": "given", "class": type(model).__name__}, source
    from prior_bench.backbones.given import GivenModel

    given = GivenModel(cast("nn.Module | Backbone", model), name)
    return given.row(), given


def _require_maps(source: BackboneSource, name: str) -> None:
    from prior_bench.api.encoders import require_maps

    encoder = getattr(source, "encoder", None)
    if encoder is not None and getattr(source, "stored", None) is None:
        require_maps(encoder, name)
