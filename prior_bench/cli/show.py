"""``prior-bench show RUN``: print everything about one run."""

import argparse

from prior_bench.cli.arguments import at_least

HELP = "print one run: its settings, metrics with intervals, and provenance"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("recorded", metavar="RUN", help="a key, a prefix of a key, or SUITE/KEY")
    parser.add_argument("--json", action="store_true", help="print the stored record")
    parser.add_argument(
        "--resamples",
        type=at_least(0),
        default=1000,
        help="bootstrap resamples for the intervals; 0: no intervals (default: 1000)",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    import json
    from dataclasses import asdict

    from prior_bench.io.plain import plain
    from prior_bench.report.runs.find_run import find_run
    from prior_bench.report.runs.run_text import run_text

    found = find_run(args.recorded)
    assert found.record is not None and found.store is not None, "it was found in a store"
    if args.json:
        print(json.dumps(plain(asdict(found.record)), indent=1, ensure_ascii=False))
    else:
        print(run_text(found.record, found.store, args.resamples))
    return 0
