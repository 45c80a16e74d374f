"""``prior-bench parity DIR``: our implementations against stored numbers of the official sources."""

import argparse
from pathlib import Path

HELP = "check implementations against fixtures made from the official sources"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("dir", type=Path, help="folder of <family>/<name>.json and .safetensors")
    parser.add_argument("--brief", action="store_true", help="list only quantities that fail")


def run(args: argparse.Namespace) -> int:
    """Exit status 1 where a quantity is above tolerance; fixtures without a checker are only reported."""
    from prior_bench.parity.compare import check_fixture
    from prior_bench.parity.fixture import discover
    from prior_bench.parity.show import lines, summary

    outcomes = []
    for path in discover(args.dir):
        outcomes.append(check_fixture(path))
        print("\n".join(lines(outcomes[-1], args.brief)), flush=True)
    print(summary(outcomes))
    return int(any(outcome.failed for outcome in outcomes))
