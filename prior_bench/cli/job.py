"""``prior-bench job FILE``: what ``prior-bench submit`` runs in a job of the cluster."""

import argparse

HELP = "run a job that 'prior-bench submit' has written; jobs of the cluster do so"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("file", help="file of the job, under cluster/jobs in the suite's store")


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a cell failed."""
    from pathlib import Path

    from prior_bench.cluster.work import run_job

    return run_job(Path(args.file))
