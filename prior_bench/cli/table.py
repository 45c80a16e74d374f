"""``prior-bench table NAME``: print a comparison table from the records there are."""

import argparse

HELP = "print a comparison table from stored records"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("table", help="name of a shipped table, or a config file")
    parser.add_argument("--format", default="markdown", help="markdown (default), latex, csv, html or json")
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of printing")
    parser.add_argument(
        "--suite", action="append", default=[], help="read this suite's store instead of the table's own"
    )
    parser.add_argument(
        "--trivial", action="store_true", help="add rows of predictors that do not look at the image"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.report.files import write_text
    from prior_bench.report.render import render
    from prior_bench.report.table import build_table, load_table

    config = load_table(args.table)
    config.suites = args.suite or config.suites
    text = render(build_table(config, trivial=args.trivial), args.format)
    if args.output:
        print(write_text(args.output, text))
    else:
        print(text, end="")
    return 0
