"""``prior-bench report SUITE``: write one self-contained HTML page about a suite."""

import argparse

HELP = "write the HTML report of a suite"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("suite", help="name of a shipped suite, or a config file")
    parser.add_argument(
        "--data", metavar="REF", help="as in 'prior-bench run': report of the run on this data"
    )
    parser.add_argument("--output", metavar="FILE", help="default: report.html in the suite's store")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.io.atomic import write_text
    from prior_bench.report.html.page import build_page
    from prior_bench.store.store import Store
    from prior_bench.suites.scale import with_data
    from prior_bench.suites.suite import load_suite

    suite = load_suite(args.suite)
    suite = with_data(suite, args.data) if args.data else suite
    store = Store.of(suite.name)
    print(write_text(args.output or store.root / "report.html", build_page(suite, store)))
    return 0
