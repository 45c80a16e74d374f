"""``prior-bench pretrain``: train a method's encoders on image-report pairs."""

import argparse

from prior_bench.cli.arguments import add_gpus, add_threads, add_workers, at_least, workers_of

HELP = "pre-train a method from a config; the same command continues an interrupted run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "config", metavar="CONFIG", help="name of a shipped config (configs/pretrain), or a .py file"
    )
    parser.add_argument(
        "--data",
        metavar="REF",
        help="image-report pairs in place of the config's: NAME, NAME@DIR, sample:NAME or a CSV file with "
        "the columns image and report (docs/own_pairs.md)",
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="option of the reader of --data, e.g. missing=skip; may be repeated",
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="default 0")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N; default auto")
    add_workers(parser)
    add_gpus(parser)
    add_threads(parser)
    parser.add_argument(
        "--work-dir", metavar="DIR", help="folder of this run (default: under results/pretrain)"
    )
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change a config value, e.g. --set schedule.epochs=2; may be repeated",
    )
    parser.add_argument(
        "--no-resume", action="store_true", help="start again from the beginning instead of continuing"
    )


def run(args: argparse.Namespace) -> int:
    """Train and print the path of the checkpoint."""
    from prior_bench.cli.arguments import assignments
    from prior_bench.pretraining.launch import is_first
    from prior_bench.public.next_steps import next_steps
    from prior_bench.public.pretraining import pretrain

    path = pretrain(
        args.config,
        data=args.data,
        reader=assignments(args.option, "--option"),
        seed=args.seed,
        device=args.device,
        workers=workers_of(args),
        gpus=args.gpus,
        threads=args.threads,
        deterministic=args.deterministic,
        folder=args.work_dir,
        overrides=assignments(args.set, "--set"),
        resume=not args.no_resume,
    )
    if is_first():
        print(f"checkpoint: {path}")
        print("\n".join(["next:", *(f"  {line}" for line in next_steps(path))]))
    return 0
