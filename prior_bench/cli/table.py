"""``prior-bench table NAME``: print a comparison table from stored records."""

import argparse
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from prior_bench.public.tables import ComparisonTable

HELP = "print a comparison table from stored records, optionally with published numbers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("table", nargs="?", help="name of a shipped table, or a config file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--with-published",
        action="store_true",
        help="show our number, the published number and the difference",
    )
    what.add_argument("--only-published", action="store_true", help="show only the published numbers")
    what.add_argument(
        "--leaderboard",
        action="store_true",
        help="rank all rows of the stores by average rank; takes no table",
    )
    parser.add_argument(
        "--format",
        default="markdown",
        help="markdown (default), latex (requires booktabs and graphicx), csv, html or json",
    )
    parser.add_argument("--output", metavar="FILE", help="write to a file instead of printing")
    parser.add_argument(
        "--suite", action="append", default=[], help="read this suite's store instead of the table's own"
    )
    parser.add_argument(
        "--data",
        metavar="REF",
        help="as in 'prior-bench run': table of that run (suite with the table's name, or --suite)",
    )
    parser.add_argument(
        "--trivial",
        action="store_true",
        help="add rows of predictors that do not look at the image (to a table of our own numbers)",
    )
    parser.add_argument(
        "--no-test", action="store_true", help="skip the significance tests (faster; nothing is bold)"
    )
    parser.add_argument(
        "--ranks",
        metavar="FILE.svg",
        help="draw average ranks with Nemenyi's critical difference, and print them",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    import sys

    from prior_bench.io.atomic import write_text

    table = _table(args)
    text = table.render(args.format)
    if args.ranks:
        from prior_bench.report.html.figures.rank_plot import rank_plot
        from prior_bench.report.tables.mean_ranks import ranks_of, ranks_text

        if table.beside:
            raise BenchError(
                "ranks are not available for a table of our and published numbers",
                where=args.table,
                fix="use --only-published, or remove --ranks",
            )
        ranks, filled = ranks_of(table.filled), table.filled
        title = f"Critical-difference diagram: {filled.title}"
        said = ranks_text(ranks, filled)
        place = write_text(args.ranks, rank_plot(ranks, title, said, file=True) + "\n")
        print(f"{said}\n{place}", file=sys.stderr)  # only the table goes to stdout
    if args.output:
        print(write_text(args.output, text))
    else:
        print(text, end="")
    return 0


def _table(args: argparse.Namespace) -> "ComparisonTable":
    from prior_bench.public.tables import table

    if args.leaderboard and args.table:
        raise BenchError(
            "a leaderboard takes no table", where=args.table, fix="remove the table or --leaderboard"
        )
    if not (args.leaderboard or args.table):
        raise BenchError("no table is given", fix="give one (prior-bench list tables), or use --leaderboard")
    return table(
        None if args.leaderboard else args.table,
        data=None if args.leaderboard else args.data,
        stores=args.suite,
        published="only" if args.only_published else "beside" if args.with_published else "",
        trivial=args.trivial and not args.leaderboard,
        test=not args.no_test,
    )
