"""``prior-bench eval TASK``: evaluate one backbone in one task on one data set, with intervals."""

import argparse

from prior_bench.cli.arguments import add_backbone, add_gpus, add_threads, add_workers, at_least, workers_of
from prior_bench.cli.faults import OR_OURS

HELP = "evaluate one backbone on one data set, with one or more protocols"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("task", help="name of a task; prior-bench list tasks shows them")
    add_backbone(
        parser,
        "a checkpoint file or folder, timm:MODEL, random:MODEL, random:CONFIG, embeddings:FILE, or a "
        "pre-training config",
    )
    parser.add_argument(
        "--data",
        required=True,
        metavar="REF",
        help="NAME, NAME@DIR, sample:NAME, a CSV file or a .npz file of MedMNIST",
    )
    parser.add_argument(
        "--protocol",
        action="append",
        default=[],
        metavar="NAME",
        help="protocol (default: the clean protocol of the task); may be repeated",
    )
    parser.add_argument(
        "--fraction", type=float, help="share of training labels (default: 1, or none with --shots)"
    )
    parser.add_argument(
        "--shots",
        type=at_least(1),
        nargs="+",
        metavar="K",
        help="few-shot: numbers of training images per class, e.g. 1 2 4 8 16",
    )
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
        "--prompts",
        metavar="FILE",
        help="prompts of zero-shot classification: a .json file of your own, or the name of a shipped set",
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
        help="also evaluate if test patients were seen in training; records and tables then state it",
    )
    parser.add_argument("--device", default="auto", help="cpu, cuda or auto (default)")
    add_workers(parser)
    add_gpus(parser)
    add_threads(parser)
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

    from prior_bench.cli.arguments import assignments, backbone_row_of
    from prior_bench.engine.execute import say_at_once
    from prior_bench.public.planning import prepare
    from prior_bench.report.runs.run_text import protocol_text

    prepared = prepare(
        backbone_row_of(args),
        args.task,
        args.data,
        protocol=args.protocol or None,
        fraction=args.fraction,
        shots=args.shots,
        seed=args.seed,
        labels=args.label,
        reader=assignments(args.option, "--option"),
        overrides=assignments(args.set, "--set"),
        prompts=args.prompts,
        allow_leakage=args.allow_leakage,
        threads=args.threads,
        deterministic=args.deterministic,
    )
    for protocol in prepared.protocols:
        print(protocol_text(protocol), flush=True)
    for leak in prepared.leaks:
        print(f"leakage: {leak}", flush=True)
    results = prepared.run(
        device=args.device,
        workers=workers_of(args),
        gpus=args.gpus,
        overwrite=args.overwrite,
        say=say_at_once,
    )
    failed = [result for result in results if result.record.status == "failed"]
    for result in results:
        if result in failed:
            print(f"error: {result.record.error}\n  traceback: {result.trace}\n  {OR_OURS}", file=sys.stderr)
        else:
            print(f"\n{result.text(args.resamples)}")
    return 1 if failed else 0
