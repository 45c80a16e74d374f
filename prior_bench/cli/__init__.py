"""The command line: one file per verb, each with HELP, ``configure(parser)`` and ``run(args) -> int``.

Verb modules import torch, OpenMMLab libraries and pandas only inside ``run``.
"""

import argparse
import os
import sys
from importlib import import_module

from prior_bench import __version__
from prior_bench.cli.faults import of_ours, of_the_system, replace_missing_characters
from prior_bench.errors import BenchError
from prior_bench.escaping.streams import visible_output

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
    """Run ``prior-bench``; the exit status is 0, 1 (error) or 2 (usage)."""
    replace_missing_characters()
    with visible_output():  # names and messages come from files
        return _main(argv)


def _main(argv: list[str] | None) -> int:
    args = build_parser().parse_args(argv)
    # Threads that wait actively are many times slower on a machine that also runs other programs.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # otherwise the flush at exit fails
        return 141
    except KeyboardInterrupt:
        print("interrupted; finished work is kept; run the same command again to continue", file=sys.stderr)
        return 130
    except Exception as error:
        if args.debug:
            raise
        given = sys.argv[1:] if argv is None else argv
        print(of_the_system(error) if isinstance(error, OSError) else of_ours(error, given), file=sys.stderr)
        return 1
