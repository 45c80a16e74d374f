"""``prior-bench submit SUITE``: submit the missing cells of a suite to a Slurm cluster."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from prior_bench.cli.arguments import add_deterministic, at_least

if TYPE_CHECKING:
    from prior_bench.schema.cluster import ClusterFile
    from prior_bench.store.store import Store
    from prior_bench.suites.suite import Suite

HELP = "submit a suite's missing cells to a Slurm cluster (what is queued is not submitted again)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("suite", help="name of a shipped suite, or a config file")
    parser.add_argument(
        "--cluster",
        metavar="FILE",
        help="cluster file (default: that of PRIOR_BENCH_CLUSTER; docs/scaling.md)",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--dry-run",
        action="store_true",
        help="print the jobs, what they wait for and their estimated time; submit nothing",
    )
    what.add_argument(
        "--status", action="store_true", help="print how many cells are done, running, queued or failed"
    )
    what.add_argument("--cancel", action="store_true", help="cancel this suite's jobs, and no others")
    parser.add_argument("--data", metavar="REF", help="use other data, as in 'prior-bench run'")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="part of the suite: backbone, task, data, protocol, fraction, shots, seed; may be repeated",
    )
    parser.add_argument(
        "--skip-missing",
        action="store_true",
        help="submit the cells whose data and weights are there, and name what is missing",
    )
    parser.add_argument(
        "--allow-leakage",
        action="store_true",
        help="also evaluate if test patients were seen in training; records and tables then state it",
    )
    parser.add_argument(
        "--threads",
        type=at_least(1),
        help="threads of each job; numbers on a CPU depend on it (default: as in 'prior-bench run')",
    )
    add_deterministic(parser)


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.errors import BenchError
    from prior_bench.store.store import Store
    from prior_bench.suites.scale import with_data
    from prior_bench.suites.suite import load_suite

    suite = load_suite(args.suite)
    suite = with_data(suite, args.data) if args.data else suite
    store = Store.of(suite.name)
    if args.status:
        return _print_status(suite, store, args.only)
    if args.cancel:
        from prior_bench.cluster.submission import cancel_suite

        if args.only:
            fix = "leave one of them out; scancel NUMBER cancels single jobs"
            raise BenchError("cannot be used together with --only", where="--cancel", fix=fix)
        print(f"jobs of {suite.name} cancelled: {cancel_suite(store)}")
        return 0
    suite.allow_leakage = suite.allow_leakage or args.allow_leakage
    suite.threads = args.threads or suite.threads
    suite.deterministic = args.deterministic or suite.deterministic
    from prior_bench.cluster.settings import load_cluster

    return _submit(args, suite, store, load_cluster(args.cluster))


def _print_status(suite: Suite, store: Store, only: list[str]) -> int:
    from prior_bench.cluster.queue import queue
    from prior_bench.cluster.status import cell_states, status_text, training_states

    queued = queue()
    cells = cell_states(store, queued, only)
    print(status_text(suite.name, cells, training_states(store, queued)))
    return 0


def _submit(args: argparse.Namespace, suite: Suite, store: Store, cluster: ClusterFile) -> int:
    import sys
    from pathlib import Path

    from prior_bench.cluster.dry_run import dry_run_text
    from prior_bench.cluster.queue import queue
    from prior_bench.cluster.sbatch import require_slurm
    from prior_bench.cluster.submission import submit_suite, survey
    from prior_bench.errors import BenchError
    from prior_bench.report.tables.suite_tables import tables_of
    from prior_bench.schema.cluster_jobs import StoredOptions
    from prior_bench.suites.plan import expand

    if not args.dry_run:
        require_slurm()  # before data sets are read
    tables_of(suite)  # the last job needs them
    plan = expand(suite, only=args.only, tolerate_absent=args.dry_run or args.skip_missing)
    for message in plan.absent:
        print(f"missing: {message}", file=sys.stderr)
    if several := sum(run.gpus > 1 for run in plan.runnable()):
        print(f"note: {several} cells want several GPUs (gpus of their protocols); a job trains each on one")
    file = Path(args.suite)
    called = str(file.absolute()) if file.suffix == ".py" and file.is_file() else args.suite
    if args.dry_run:
        try:
            queued = queue()
        except BenchError as error:
            print(f"warning: the queue is taken as empty: {error}", file=sys.stderr)
            queued = {}
        print(dry_run_text(survey(plan, store, cluster, called, queued), cluster))
        return 0
    options = StoredOptions(
        name=suite.name,
        called=called,
        data=args.data or "",
        threads=suite.threads,
        deterministic=suite.deterministic,
        allow_leakage=suite.allow_leakage,
    )
    count = submit_suite(plan, store, cluster, options)
    again = "see them: prior-bench submit " + args.suite + " --status"
    print(f"jobs submitted: {count}; {again}" if count else "nothing to submit: all cells are done or queued")
    return 0
