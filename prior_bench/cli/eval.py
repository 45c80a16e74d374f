"""``prior-bench eval TASK``: one task of one backbone on one data set; metrics with intervals."""

import argparse

from prior_bench.cli.arguments import at_least

HELP = "evaluate one backbone on one data set, with one or more protocols"

STORE = "eval"
"""Name of the store that single evaluations share, under the results root."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("task", help="name of a task; prior-bench list tasks shows them")
    parser.add_argument(
        "--backbone",
        required=True,
        metavar="WHAT",
        help="a checkpoint file or folder, timm:MODEL, random:MODEL, random:CONFIG, or a pre-training config",
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="REF",
        help="NAME, NAME@DIR, sample:NAME, a CSV file or a .npz file of MedMNIST",
    )
    parser.add_argument(
        "--tokenizer",
        metavar="PATH",
        help="tokenizer of a released text encoder: a folder, tokenizer.json or vocab.txt",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="NAME",
        help="protocol (default: the clean protocol of the task); may be repeated",
    )
    parser.add_argument("--fraction", type=float, default=1.0, help="share of training labels (default: 1)")
    parser.add_argument(
        "--seed", "--seeds", type=int, nargs="+", default=[0], help="one or more seeds (default: 0)"
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="COLUMN",
        help="label column to use (default: all label columns); may be repeated",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of the data set's reader, e.g. missing=skip; may be repeated",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="change a field of the protocol, e.g. optimizer.lr=0.01; may be repeated",
    )
    parser.add_argument(
        "--allow-leakage",
        action="store_true",
        help="also evaluate if test patients were seen in training; records and tables then say so",
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default)")
    parser.add_argument("--workers", type=at_least(0), default=0, help="data loading processes (default: 0)")
    parser.add_argument(
        "--overwrite",
        choices=("skip", "failed", "all"),
        default="failed",
        help="which recorded cells to run again (default: %(default)s)",
    )
    parser.add_argument(
        "--resamples",
        type=at_least(0),
        default=1000,
        help="bootstrap resamples for the intervals (default: 1000)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a cell failed."""
    import sys

    from prior_bench.cli import arguments
    from prior_bench.engine.execute import Overwrite, evaluate
    from prior_bench.report.runs.run_text import protocol_text, result_text
    from prior_bench.store.changed_source import warn_of_records
    from prior_bench.store.store import Store
    from prior_bench.suites.plan import expand
    from prior_bench.suites.suite import Suite

    shared = {
        "task": args.task,
        "data": arguments.data_reference(
            args.data, args.label, arguments.assignments(args.option, "--option")
        ),
        "fractions": [args.fraction],
        "overrides": arguments.assignments(args.set, "--set"),
    }
    named = dict.fromkeys(args.protocol or [default_protocol(args.task)])
    evaluations = [{**shared, "protocol": name} for name in named]
    rows = [arguments.backbone_row(args.backbone, args.tokenizer)]
    suite = Suite(STORE, rows, evaluations, args.seed, allow_leakage=args.allow_leakage, where="eval")
    plan = expand(suite)
    if reasons := {run.reason for run in plan.runs if run.reason}:
        from prior_bench.errors import BenchError

        raise BenchError(f"cannot be evaluated: {', '.join(reasons)}", where=args.backbone)
    for protocol in {run.spec.protocol["name"]: run.spec.protocol for run in plan.runs}.values():
        print(protocol_text(protocol), flush=True)
    for leak in dict.fromkeys(leak for run in plan.runs for leak in run.leaks):
        print(f"leakage: {leak}", flush=True)
    store = Store.of(STORE)
    outcome = evaluate(
        plan, store, device=args.device, workers=args.workers, overwrite=Overwrite(args.overwrite)
    )
    warn_of_records(
        (outcome.records[key] for key in outcome.skipped), "the same command with --overwrite all"
    )
    for key, record in outcome.records.items():
        if record.status == "failed":
            trace = store.runs / key / "traceback.txt"
            print(f"error: {record.error}\n  traceback: {trace}", file=sys.stderr)
        else:
            print(f"\n{result_text(record, store, resamples=args.resamples)}")
    return 1 if outcome.failed else 0


def default_protocol(task: str) -> str:
    """The clean protocol of a task family.

    Raises:
        BenchError: the task has no default protocol, or is unknown.
    """
    from prior_bench.errors import BenchError
    from prior_bench.registry import TASKS

    name = getattr(TASKS.get(task), "default_protocol", "")
    if not name:
        raise BenchError("this task has no default protocol", where=task, fix="name one with --protocol")
    return name
