"""``prior-bench subgroups WHAT``: performance by sex, age, view and the like, from stored predictions."""

import argparse

from prior_bench.cli.arguments import at_least

HELP = "compare subgroups of the test patients (sex, age, view, …) from stored predictions"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument(
        "what",
        nargs="+",
        metavar="WHAT",
        help="suites (their runs with the most labels), or runs: a key, a prefix of a key, or SUITE/KEY",
    )
    parser.add_argument(
        "--by",
        action="append",
        default=[],
        metavar="NAME[:BOUNDS]",
        help="attribute, with bounds if it is a number, e.g. sex, or age:50,70; may be repeated "
        "(default: sex, age and view, as far as the data have them)",
    )
    parser.add_argument(
        "--groups",
        metavar="FILE.csv",
        help="further attributes: a CSV file with 'id' or 'patient_id', and one column per attribute",
    )
    parser.add_argument(
        "--label",
        action="append",
        default=[],
        metavar="NAME",
        help="class to measure (default: the mean over all classes); may be repeated",
    )
    parser.add_argument(
        "--least",
        type=at_least(1),
        default=10,
        help="smallest number of positives and negatives in a group (default: 10)",
    )
    parser.add_argument(
        "--resamples",
        type=at_least(0),
        default=1000,
        help="bootstrap resamples, and permutations (default: 1000; 0: no intervals and tests)",
    )
    parser.add_argument("--format", default="markdown", help="markdown (default) or csv")
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of printing")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from pathlib import Path

    from prior_bench.data.attributes import Grouping
    from prior_bench.io.atomic import write_text
    from prior_bench.report.subgroups.collect import collect
    from prior_bench.report.subgroups.select import runs_of
    from prior_bench.report.subgroups.text import render

    sections = collect(
        runs_of(args.what),
        [Grouping.parse(text) for text in args.by],
        file=Path(args.groups) if args.groups else None,
        labels=args.label,
        least=args.least,
        resamples=args.resamples,
    )
    text = render(sections, args.format)
    if args.output:
        print(write_text(args.output, text))
    else:
        print(text, end="")
    return 0
