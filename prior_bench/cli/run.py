"""``prior-bench run SUITE``: run the missing cells of a suite, then print its table."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from prior_bench.api.rehearsal import BATCH_ON_CPU, FACTOR
from prior_bench.cli.arguments import add_deterministic, add_gpus, add_workers, at_least, workers_of
from prior_bench.cli.faults import OR_OURS

if TYPE_CHECKING:
    from prior_bench.engine.execute import Overwrite, SuiteOutcome
    from prior_bench.store.store import Store
    from prior_bench.suites.plan import Plan, PlannedRun
    from prior_bench.suites.suite import Suite

HELP = "run a suite (recorded cells do not run again) and print its table"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("suite", help="name of a shipped suite, or a config file")
    parser.add_argument(
        "--data",
        metavar="REF",
        help="use other data: 'sample', the synthetic counterpart of every data set at toy scale; or, for a "
        "suite with one data set, NAME@DIR, a .csv or a .npz file",
    )
    parser.add_argument(
        "--rehearse",
        nargs="?",
        type=float,
        const=FACTOR,
        metavar="FACTOR",
        help="rehearse a paper's suite on data of the real size, with this share of the steps and of the "
        f"evaluated images (default: {FACTOR:g}, the least in almost all cells), and print projected hours "
        "(docs/rehearsal.md)",
    )
    parser.add_argument(
        "--rehearse-batch",
        type=at_least(2),
        metavar="N",
        help=f"rehearse with at most N images per step (default: {BATCH_ON_CPU} on a CPU, the real number "
        "on a GPU)",
    )
    add_images_per_second(parser)
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the plan, missing data and weights, and a rough estimate of the time; run nothing",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="run the cells whose data and weights are there, and name what is missing",
    )
    parser.add_argument(
        "--overwrite",
        choices=("skip", "failed", "all"),
        default="failed",
        help="which recorded cells to run again (default: %(default)s)",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="run part of the suite: backbone, task, data, protocol, fraction, shots, seed; may be repeated",
    )
    parser.add_argument(
        "--allow-leakage",
        action="store_true",
        help="also evaluate if test patients were seen in training; records and tables then state it",
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default)")
    add_workers(parser)
    parser.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="number of processes that run cells, each with its share of the cores (default: 1)",
    )
    add_gpus(parser)
    parser.add_argument(
        "--threads",
        type=at_least(1),
        help="threads of each job; numbers on a CPU depend on it (default: the suite's, or else 1 for a "
        "small model and each job's share of the cores for others)",
    )
    add_deterministic(parser)


def add_images_per_second(parser: argparse.ArgumentParser) -> None:
    """Add the assumed speed of a GPU."""
    parser.add_argument(
        "--images-per-second",
        type=at_least(1),
        default=1000,
        metavar="N",
        help="assumed speed of one GPU in projected hours: images per second through a ResNet-50 at 224 "
        "pixels, without training (default: %(default)s, an assumption)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a cell failed."""
    from prior_bench.data.generated import nothing_generated
    from prior_bench.engine.execute import Overwrite, evaluate
    from prior_bench.report.runs.reported_runs import reported_runs
    from prior_bench.report.tables.render import render
    from prior_bench.report.tables.suite_tables import table_of, tables_of
    from prior_bench.report.tables.table import build_table
    from prior_bench.store.changed_source import warn_of_records
    from prior_bench.store.store import Store
    from prior_bench.suites.plan import expand
    from prior_bench.suites.scale import with_data
    from prior_bench.suites.suite import load_suite

    suite = load_suite(args.suite)
    suite = with_data(suite, args.data) if args.data else suite
    suite = _rehearsed(suite, args)
    suite.allow_leakage = suite.allow_leakage or args.allow_leakage
    suite.threads = args.threads or suite.threads
    suite.deterministic = args.deterministic or suite.deterministic
    tables = tables_of(suite)
    store, overwrite = Store.of(suite.name), Overwrite(args.overwrite)
    if args.dry_run:
        with nothing_generated():
            print(describe_plan(expand(suite, only=args.only, tolerate_absent=True), store, overwrite))
        return 0
    plan = expand(suite, only=args.only, tolerate_absent=args.skip_missing)
    for message in plan.absent:
        print(f"missing: {message}", file=sys.stderr)
    how = dict(device=args.device, workers=workers_of(args), jobs=args.jobs, gpus=args.gpus)
    outcome = evaluate(plan, store, **how, overwrite=overwrite)
    warn_of_records(
        (outcome.records[key] for key in outcome.skipped), f"prior-bench run {args.suite} --overwrite all"
    )
    if not tables and (outcome.ran or outcome.skipped):
        tables = [table_of(suite, reported_runs([store]))]
    for table in tables:
        print(f"\n{render(build_table(table, [store], test=suite.rehearsal is None))}")
    if suite.rehearsal is not None:
        print(f"\n{_projection(args)}\n")
    print(f"{len(outcome.ran)} run, {len(outcome.skipped)} already done, {len(outcome.failed)} failed")
    print(f"records: {store.root}")
    return _report_failures(plan, outcome, store)


def _rehearsed(suite: Suite, args: argparse.Namespace) -> Suite:
    """Return the rehearsal of a suite, if one is wanted."""
    from prior_bench.errors import BenchError
    from prior_bench.runtime import pick_device
    from prior_bench.suites.rehearse import rehearsal_of

    if args.rehearse is None:
        if args.rehearse_batch is not None:
            fix = "add --rehearse, or leave it out"
            raise BenchError("is for rehearsals", where="--rehearse-batch", fix=fix)
        return suite
    if args.data:
        fix = "leave out --data: a rehearsal has its own data"
        raise BenchError("cannot be used together with --data", where="--rehearse", fix=fix)
    on_gpu = pick_device(args.device).startswith("cuda")
    batch = args.rehearse_batch or (None if on_gpu else BATCH_ON_CPU)
    return rehearsal_of(suite, args.rehearse, batch)


def _projection(args: argparse.Namespace) -> str:
    """Return what the stored rehearsal says of the real run."""
    from prior_bench.public.rehearsals import projected
    from prior_bench.report.projection_text import suite_text

    found = projected(args.suite, args.images_per_second)
    return suite_text(args.suite, found, args.images_per_second)


def describe_plan(plan: Plan, store: Store, overwrite: Overwrite) -> str:
    """Return one line per cell (done, to do, or the reason), missing files, an estimate, and the counts."""
    from prior_bench.engine.execute import to_do
    from prior_bench.engine.expected_time import expected_time
    from prior_bench.suites.plan import NO_TEXT

    waiting = {run.key for run in to_do(plan, store, overwrite)}
    states = [run.reason or ("done" if run.key and run.key not in waiting else "to do") for run in plan.runs]
    width = max(map(len, states))
    lines = [f"{state:<{width}}  {run.label}" for state, run in zip(states, plan.runs, strict=True)]
    lines += [f"missing: {message}" for message in plan.absent]
    if any(not run.key and not run.reason for run in plan.runs):
        lines.append("first: generate synthetic data; until then, all cells that need them count as to do")
    done, ahead = states.count("done"), states.count("to do")
    never = len(states) - done - ahead
    left = [run for run, state in zip(plan.runs, states, strict=True) if state not in ("done", NO_TEXT)]
    lines += estimate_lines(plan, left)
    ahead_of = [run for run, state in zip(plan.runs, states, strict=True) if state == "to do"]
    lines += expected_time(plan, ahead_of).lines()
    lines.append(f"{len(states)} cells: {done} done, {ahead} to do, {never} cannot be run")
    return "\n".join(lines)


def estimate_lines(plan: Plan, runs: Iterable[PlannedRun]) -> list[str]:
    """Return lines with the estimated GPU hours of some runs; empty for less than 0.1 hours."""
    from prior_bench.suites.estimate import FORWARD, FROZEN, TRAINED, gpu_hours

    hours, unknown = gpu_hours(plan, runs)
    if hours < 0.1:
        return []
    without = f"; {unknown} cells with unknown counts are not included" if unknown else ""
    return [
        f"rough estimate: {hours:,.{0 if hours >= 10 else 1}f} GPU hours for the remaining cells{without}",
        "  = images x passes / images per second, assumed for one data-centre GPU and 224 pixels: "
        f"{FORWARD:g} forward only, {FROZEN:g} frozen with a trained head, {TRAINED:g} trained;",
        "  early stopping and pre-training are not counted (prior_bench/suites/estimate.py)",
    ]


def _report_failures(plan: Plan, outcome: SuiteOutcome, store: Store) -> int:
    if not outcome.failed:
        return 0
    labels = {run.key: run.label for run in plan.runnable()}
    by_message: dict[str, list[str]] = {}
    for key in outcome.failed:
        by_message.setdefault(outcome.records[key].error, []).append(key)
    print(f"error: {len(outcome.failed)} run(s) failed:", file=sys.stderr)
    for message, keys in by_message.items():
        more = f" (and {len(keys) - 1} more)" if len(keys) > 1 else ""
        print(f"- {labels[keys[0]]}{more}: {message}", file=sys.stderr)
        print(f"  traceback: {store.runs / keys[0] / 'traceback.txt'}", file=sys.stderr)
    print(OR_OURS, file=sys.stderr)
    return 1
