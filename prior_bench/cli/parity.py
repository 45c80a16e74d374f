"""``prior-bench parity DIR``: compare our implementations with stored values of the official ones."""

import argparse
from pathlib import Path

HELP = "compare our implementations with stored values of the official ones"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("dir", type=Path, help="folder with <family>/<name>.json and .safetensors")
    parser.add_argument("--brief", action="store_true", help="print only quantities that fail")


def run(args: argparse.Namespace) -> int:
    """Print all outcomes; return 1 if a fixture failed. Fixtures without a checker do not count as failed."""
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
