"""``prior-bench job FILE``: what ``prior-bench submit`` runs in a job of the cluster."""

import argparse

HELP = "run a job that 'prior-bench submit' has written; jobs of the cluster do so"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("file", help="file of the job, under cluster/jobs in the suite's store")


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a cell failed."""
    import os
    from pathlib import Path

    from prior_bench.cluster.sbatch import JOB
    from prior_bench.cluster.work import run_job
    from prior_bench.errors import BenchError

    file = Path(args.file)
    if os.environ.get(JOB) != file.name:  # it may have come with a store, and can name a config to run
        what = "was not submitted by this process's job, and what it names would be run"
        fix = f"prior-bench run SUITE; or, if you have read and trust the file, {JOB}={file.name}"
        raise BenchError(what, where=file, fix=fix)
    return run_job(file)
