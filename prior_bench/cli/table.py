"""``prior-bench table NAME``: print a comparison table from stored records."""

import argparse
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from prior_bench.report.tables.table import Table, TableConfig

HELP = "print a comparison table from stored records, optionally with published numbers"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
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
        "--ranks", metavar="FILE.svg", help="draw average ranks with Nemenyi's critical difference"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    import sys

    from prior_bench.io.atomic import write_text
    from prior_bench.report.tables.render import render

    table = _table(args)
    text = render(table, args.format)
    if args.ranks:
        from prior_bench.report.html.figures.rank_plot import rank_plot
        from prior_bench.report.tables.mean_ranks import ranks_of, ranks_text

        ranks = ranks_of(table)
        svg = rank_plot(
            ranks, f"Critical-difference diagram: {table.title}", ranks_text(ranks, table), file=True
        )
        place = write_text(args.ranks, svg + "\n")
        print(place, file=sys.stderr)  # only the table goes to stdout
    if args.output:
        print(write_text(args.output, text))
    else:
        print(text, end="")
    return 0


def _table(args: argparse.Namespace) -> "Table":
    from prior_bench.report.published.beside import published_table, table_beside
    from prior_bench.report.runs.reported_runs import EVERY_SUITE, stores_of
    from prior_bench.report.tables.leaderboard import leaderboard
    from prior_bench.report.tables.table import build_table, load_table

    if args.leaderboard:
        if args.table:
            raise BenchError(
                "a leaderboard takes no table", where=args.table, fix="remove the table or --leaderboard"
            )
        _warn_of_records(args.suite or [EVERY_SUITE])
        return leaderboard(stores_of(args.suite or [EVERY_SUITE]), test=not args.no_test)
    if not args.table:
        raise BenchError("no table is given", fix="name one (prior-bench list tables), or use --leaderboard")
    if args.data:
        config = _on_data(args)
        _warn_of_records(config.suites)
        return build_table(config, trivial=args.trivial, test=not args.no_test)
    config = load_table(args.table)
    config.suites = args.suite or config.suites
    if args.only_published:
        return published_table(config)
    _warn_of_records(config.suites)
    if args.with_published or not all(column.protocol for column in config.columns):
        if args.ranks:
            fix = "use --only-published, or remove --ranks"
            raise BenchError(
                "ranks are not available for a table of our and published numbers", where=args.table, fix=fix
            )
        return table_beside(config)
    return build_table(config, trivial=args.trivial, test=not args.no_test)


def _warn_of_records(suites: list[str]) -> None:
    """Say on stderr how many of the records there are were made by other source code."""
    from prior_bench.report.runs.reported_runs import reported_runs, stores_of
    from prior_bench.store.changed_source import warn_of_records

    records = (run.record for run in reported_runs(stores_of(suites)))
    warn_of_records(records, "prior-bench run SUITE --overwrite all")


def _on_data(args: argparse.Namespace) -> "TableConfig":
    from prior_bench.report.tables.suite_tables import named_table
    from prior_bench.suites.scale import with_data
    from prior_bench.suites.suite import load_suite

    if args.with_published or args.only_published:
        raise BenchError(
            "published numbers do not apply to other data",
            where="--data",
            fix="remove one of the two options",
        )
    suite = (args.suite or [args.table])[-1]
    return named_table(with_data(load_suite(suite), args.data), args.table)
