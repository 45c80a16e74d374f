"""``prior-bench parity DIR``: compare our implementations with stored values of the official ones."""

import argparse
from pathlib import Path

HELP = "compare our implementations with stored values of the official ones"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "dir",
        type=Path,
        nargs="?",
        help="folder with <family>/<name>.json and .safetensors, or with <paper>/<name>.json of protocols",
    )
    parser.add_argument("--brief", action="store_true", help="print only what fails")
    parser.add_argument(
        "--markdown",
        metavar="PAPER",
        help="print how well each part of a paper's protocols is known, as on its page in docs/protocols",
    )
    parser.add_argument("--only", default="*", help="protocols by pattern, e.g. 'mgca/*'")


def run(args: argparse.Namespace) -> int:
    """Print all outcomes; return 1 if one failed. Fixtures without a checker do not count as failed."""
    from prior_bench.errors import BenchError
    from prior_bench.protocol_parity.official import official_runs
    from prior_bench.protocol_parity.page import section

    if args.markdown:
        print(section(args.markdown))
        return 0
    if args.dir is None:
        raise BenchError(
            "no folder of fixtures", where="parity", fix="name one, e.g. tests/golden in a checkout"
        )
    return _protocols(args) if official_runs(args.dir) else _methods(args)


def _methods(args: argparse.Namespace) -> int:
    from prior_bench.parity.checker import is_fixture
    from prior_bench.parity.compare import check_fixture
    from prior_bench.parity.fixture import discover
    from prior_bench.parity.show import lines, summary

    outcomes = []
    for path in filter(is_fixture, discover(args.dir)):
        outcomes.append(check_fixture(path))
        print("\n".join(lines(outcomes[-1], args.brief)), flush=True)
    print(summary(outcomes))
    return int(any(outcome.failed for outcome in outcomes))


def _protocols(args: argparse.Namespace) -> int:
    from prior_bench.protocol_parity.check import check_protocols
    from prior_bench.protocol_parity.show import line, summary

    outcomes = []
    for outcome in check_protocols(args.dir, args.only):
        outcomes.append(outcome)
        if outcome.failed or not args.brief:
            print(line(outcome), flush=True)
    print("\n".join(summary(outcomes)))
    return int(any(outcome.failed for outcome in outcomes))
