"""What runs inside a job: check that nothing has changed, then pre-train, evaluate, or write the tables."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.api import LoadContext
from prior_bench.cluster.jobs_folder import read_job
from prior_bench.cluster.stored_jobs import plan_of
from prior_bench.cluster.unchanged import require_unchanged
from prior_bench.engine.execute import evaluate
from prior_bench.errors import BenchError
from prior_bench.io import slurm
from prior_bench.io.atomic import write_text
from prior_bench.report.html.page import build_page
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.tables.render import render
from prior_bench.report.tables.suite_tables import table_of, tables_of
from prior_bench.report.tables.table import build_table
from prior_bench.runtime import pick_device
from prior_bench.schema.cluster_jobs import StoredJob
from prior_bench.store.store import Store
from prior_bench.suites.plan import Plan
from prior_bench.suites.scale import with_data
from prior_bench.suites.suite import load_suite

TABLES, REPORT = "tables.md", "report.html"
"""What the last job writes into the suite's store."""


def run_job(path: Path) -> int:
    """Do what the file of a job says; return the exit status, 1 if a cell failed.

    Raises:
        BenchError: the file cannot be used, something has changed since it was written, or pre-training
            failed.
    """
    job = read_job(path)
    store = Store.of(job.suite.name)
    if store.root.resolve() not in path.resolve().parents:
        fix = f"set PRIOR_BENCH_RESULTS as when the suite was submitted; it is {paths.results_root()} here"
        raise BenchError("is of another results folder", where=path, fix=fix)
    if job.kind == "table":
        return _write_tables(job, store)
    plan = plan_of(job)
    require_unchanged(job, plan)
    return _pretrain(job, plan) if job.kind == "pretraining" else _evaluate(job, plan, store)


def _pretrain(job: StoredJob, plan: Plan) -> int:
    (training,) = job.trainings
    source: Any = plan.sources[training.row["name"]]
    how = job.suite.workers, job.suite.threads, job.suite.deterministic
    context = LoadContext(pick_device("auto"), paths.results_root() / "pretrain", *how)
    print(f"weights: {source.make(training.seed, context, slurm=True)}")
    return 0


def _evaluate(job: StoredJob, plan: Plan, store: Store) -> int:
    for training in job.trainings:
        source: Any = plan.sources[training.row["name"]]
        if not source.is_made(training.seed, paths.results_root() / "pretrain"):
            fix = f"prior-bench submit {job.suite.called} submits its pre-training"
            raise BenchError("its pre-trained weights are not there", where=training.row["name"], fix=fix)
    binding = slurm.binding()
    if binding and binding.get("CUDA_VISIBLE_DEVICES") and pick_device() == "cpu":
        print("warning: Slurm has given a GPU, and torch sees none: computing on the CPU", file=sys.stderr)
    outcome = evaluate(plan, store, workers=job.suite.workers, binding=binding, planned=True)
    for key in outcome.failed:
        trace = store.runs / key / "traceback.txt"
        print(f"error: {outcome.records[key].error}\n  traceback: {trace}", file=sys.stderr)
    print(f"{len(outcome.ran)} run, {len(outcome.skipped)} already done, {len(outcome.failed)} failed")
    return 1 if outcome.failed else 0


def _write_tables(job: StoredJob, store: Store) -> int:
    suite = load_suite(job.suite.called)
    suite = with_data(suite, job.suite.data) if job.suite.data else suite
    tables = tables_of(suite) or [table_of(suite, reported_runs([store]))]
    text = "\n\n".join(render(build_table(table, [store])) for table in tables)
    print(write_text(store.root / TABLES, f"{text}\n"))
    print(write_text(store.root / REPORT, build_page(suite, store)))
    return 0
