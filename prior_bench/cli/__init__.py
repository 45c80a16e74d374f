"""The command line: one file per verb, each with HELP, ``configure(parser)`` and ``run(args) -> int``.

Verb modules import torch, OpenMMLab libraries and pandas only inside ``run``.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from prior_bench import __version__
from prior_bench.cli.faults import (
    give_up_output,
    of_ours,
    of_the_system,
    open_missing_streams,
    replace_missing_characters,
)
from prior_bench.cli.signals import INTERRUPTED, TERMINATED, Terminated, raised_on_sigterm
from prior_bench.errors import BenchError

VERBS = (
    "doctor",
    "list",
    "schema",
    "data",
    "pretrain",
    "eval",
    "explain",
    "run",
    "rehearsal",
    "table",
    "show",
    "compare",
    "subgroups",
    "report",
    "results",
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
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name in VERBS:
        module = import_module(f"prior_bench.cli.{name.replace('-', '_')}")
        verb = verbs.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(verb)
        verb.set_defaults(run=module.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run ``prior-bench``.

    Returns:
        The exit status: 0, 1 (error), 2 (usage), 130 (Ctrl-C), 141 (closed output) or 143 (SIGTERM).
    """
    open_missing_streams()
    replace_missing_characters()
    with raised_on_sigterm():
        try:
            args = build_parser().parse_args(argv)
            # Threads that wait actively are many times slower on a machine that also runs other programs.
            os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
            return _run(args, sys.argv[1:] if argv is None else argv)
        except KeyboardInterrupt as end:
            terminated = isinstance(end, Terminated)
            what = "terminated" if terminated else "interrupted"
            print(f"{what}; finished work is kept; run the same command again to continue", file=sys.stderr)
            return TERMINATED if terminated else INTERRUPTED


def _run(args: argparse.Namespace, given: Sequence[str]) -> int:
    """Run a verb; print an error as one message, unless tracebacks are wanted."""
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    except BenchError as error:
        if args.debug:
            raise
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader of the output closed it, as `| head` does
        give_up_output()
        return 141
    except Exception as error:
        if args.debug:
            raise
        print(of_the_system(error) if isinstance(error, OSError) else of_ours(error, given), file=sys.stderr)
        return 1
