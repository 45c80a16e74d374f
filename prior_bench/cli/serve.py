"""``prior-bench serve``: browse results on this machine."""

import argparse

from prior_bench.cli.arguments import at_least

HELP = "browse a results root in a browser on this machine, read only"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("--results", metavar="DIR", help="default: the results root")
    parser.add_argument(
        "--port", type=at_least(0), default=8000, help="port on this machine; 0: a free one (default: 8000)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from pathlib import Path

    from prior_bench import paths
    from prior_bench.browsing.server import HOST, bound_server
    from prior_bench.errors import BenchError

    root = Path(args.results) if args.results else paths.results_root()
    if not root.is_dir():
        raise BenchError(
            "there is no such folder", where=root, fix="prior-bench run demo, or name one by --results"
        )
    with bound_server(root, args.port) as server:
        print(f"http://{HOST}:{server.port}/ shows {root} to this machine. Ctrl-C ends it.", flush=True)
        server.serve_forever()
    return 0
