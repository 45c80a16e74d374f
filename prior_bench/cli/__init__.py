"""The command line: one file per verb, each with HELP, ``configure(parser)`` and ``run(args) -> int``.

Verb modules import torch, OpenMMLab libraries and pandas only inside ``run``.
"""

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from importlib import import_module

from prior_bench import __version__, logs
from prior_bench.cli.faults import (
    give_up_output,
    of_ours,
    of_the_system,
    open_missing_streams,
    replace_missing_characters,
)
from prior_bench.cli.signals import (
    INTERRUPTED,
    REQUEUED,
    TERMINATED,
    Terminated,
    ignore_sigterm,
    log_remains,
    raised_on_sigterm,
)
from prior_bench.cli.working_folder import check_working_folder
from prior_bench.errors import BenchError, Requeued
from prior_bench.escaping.streams import visible_output

LOG = logging.getLogger(__name__)
LOGGED = ("run", "job", "eval", "pretrain", "embed", "explain")
"""Verbs that write a log: those that compute. Others do so only when they meet a fault of prior-bench."""
VERBOSE = "also print the lines of the log on stderr (docs/logs.md)"
VERBS = (
    "doctor",
    "bugreport",
    "list",
    "schema",
    "data",
    "pretrain",
    "eval",
    "explain",
    "run",
    "submit",
    "job",
    "rehearsal",
    "table",
    "show",
    "compare",
    "subgroups",
    "report",
    "serve",
    "results",
    "leaderboard",
    "checkpoint",
    "model",
    "export",
    "embed",
    "parity",
    "new",
    "check-method",
)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="prior-bench",
        description="Benchmark of medical vision-language backbones over six task families.",
    )
    parser.add_argument("--version", action="version", version=f"prior-bench {__version__}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")
    parser.add_argument("--verbose", action="store_true", help=VERBOSE)
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        module = import_module(f"prior_bench.cli.{name.replace('-', '_')}")
        verb = verbs.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(verb)
        verb.add_argument("--verbose", action="store_true", default=argparse.SUPPRESS, help=VERBOSE)
        verb.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run ``prior-bench``.

    Returns:
        The exit status: 0, 1 (error), 2 (usage), 75 (SIGUSR2, to be started again), 130 (Ctrl-C), 141 (closed
        output) or 143 (SIGTERM).
    """
    open_missing_streams()
    replace_missing_characters()
    with visible_output(), raised_on_sigterm():  # names and messages come from files
        try:
            status = _main(argv)
        except KeyboardInterrupt as end:
            what, status = _ended_by(end)
            log_remains()
            print(f"{what}; finished work is kept; run the same command again to continue", file=sys.stderr)
    if status == REQUEUED:
        ignore_sigterm()
    return status


def _main(argv: list[str] | None) -> int:
    args = build_parser().parse_args(argv)
    # Threads that wait actively are many times slower on a machine that also runs other programs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    given = sys.argv[1:] if argv is None else argv
    computes = args.verb in LOGGED and not getattr(args, "dry_run", False)
    with logs.logged(args.verb, args.verbose) if computes else logs.joined(None, args.verbose):
        LOG.info("prior-bench %s: %s", __version__, shlex.join(given), extra={"command": given})
        status = _run(args, given)
        LOG.info("ended with status %d", status)
    return status


def _ended_by(end: KeyboardInterrupt) -> tuple[str, int]:
    """Return in a word why a command ended early, and its exit status."""
    if isinstance(end, Requeued) or isinstance(end.__context__, Requeued):  # srun ends the other tasks
        return "stopped", REQUEUED
    return ("terminated", TERMINATED) if isinstance(end, Terminated) else ("interrupted", INTERRUPTED)


def _run(args: argparse.Namespace, given: Sequence[str]) -> int:
    """Run the verb; print and log what goes wrong."""
    try:
        check_working_folder()
        status = args.run(args)
        sys.stdout.flush()
        return status
    except BenchError as error:
        LOG.info("refused: %s", error)
        if args.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output closed it, as `| head` does
        give_up_output()
        return 141
    except KeyboardInterrupt as end:
        LOG.info("%s", _ended_by(end)[0])
        raise
    except Exception as error:
        with nullcontext() if logs.current()[0] else logs.logged(args.verb):
            LOG.error("fault of prior-bench or the system in %s: %s", args.verb, error, exc_info=error)
        if args.debug:
            raise
        print(of_the_system(error) if isinstance(error, OSError) else of_ours(error, given), file=sys.stderr)
        return 1
