"""``prior-bench pretrain``: train a method's encoders on image-report pairs."""

import argparse

from prior_bench.cli.arguments import at_least

HELP = "pre-train a method from a config; the same command continues an interrupted run"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument(
        "config", metavar="CONFIG", help="name of a shipped config (configs/pretrain), or a .py file"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="default 0")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda; default auto")
    parser.add_argument("--workers", type=at_least(0), default=0, help="data loading processes; default 0")
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
    import os
    from pathlib import Path

    from prior_bench import paths
    from prior_bench.backbones.pretrained import Pretrained
    from prior_bench.cli.arguments import assignments
    from prior_bench.pretraining.trainer import pretrain

    source = Pretrained(args.config, args.config, assignments(args.set, "--set"))
    source.check()
    if args.work_dir:
        folder = Path(args.work_dir)
    else:
        folder = source.work_dir(args.seed, paths.results_root() / "pretrain")
    resume = not args.no_resume
    path = pretrain(source.config, folder, args.seed, args.device, resume=resume, workers=args.workers)
    if int(os.environ.get("RANK", 0)) == 0:
        print(f"checkpoint: {path}")
        data = "sample:chexpert_5x200" if "sample:" in str(source.config.data.dataset) else "chexpert_5x200"
        print(f"evaluate:   prior-bench eval zero_shot --backbone {path} --data {data}")
    return 0
