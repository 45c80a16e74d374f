"""``prior-bench parity DIR``: compare our implementations with stored numbers of the official sources."""

import argparse
from pathlib import Path

HELP = "compare our implementations with numbers of the official sources"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("dir", type=Path, help="folder with <family>/<name>.json and .safetensors")
    parser.add_argument("--brief", action="store_true", help="print only quantities that fail")


def run(args: argparse.Namespace) -> int:
    """Return 1 if a quantity exceeds its tolerance; fixtures without a checker are only reported."""
    from prior_bench.parity.compare import check_fixture
    from prior_bench.parity.fixture import discover
    from prior_bench.parity.show import lines, summary

    outcomes = []
    for path in discover(args.dir):
        outcomes.append(check_fixture(path))
        print("\n".join(lines(outcomes[-1], args.brief)), flush=True)
    print(summary(outcomes))
    return int(any(outcome.failed for outcome in outcomes))
