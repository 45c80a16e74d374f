"""``prior-bench results export|import``: move records from one machine to another."""

import argparse

HELP = "export a suite's records to a file, or import records without overwriting any"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    exporting = actions.add_parser("export", help="write all records of a suite to one ZIP file")
    exporting.add_argument("suite", help="name of the suite, or the folder of its store")
    exporting.add_argument("--output", metavar="FILE", help="default: SUITE.zip")
    importing = actions.add_parser("import", help="add the records of an exported file or of another store")
    importing.add_argument("source", help="an exported file, or the folder of a store")
    importing.add_argument(
        "--suite",
        required=True,
        help="suite whose store receives the records; it is created if it does not exist",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb; the exit status is 1 if an import found a conflict or a damaged record."""
    return _export(args) if args.action == "export" else _import(args)


def _export(args: argparse.Namespace) -> int:
    from pathlib import Path

    from prior_bench.report.runs.find_run import require_store
    from prior_bench.store.exchange import export_store

    store = require_store(args.suite)
    path = Path(args.output or f"{store.root.resolve().name}.zip")
    print(f"{export_store(store, path)} records: {path}")
    return 0


def _import(args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from prior_bench.store.exchange import merge, opened
    from prior_bench.store.store import Store

    target = Store.of(args.suite)
    with opened(Path(args.source)) as source:
        merged = merge(source, target)
    counts = f"{len(merged.added)} added, {len(merged.known)} already present"
    print(f"{counts}, {len(merged.conflicts)} in conflict, {len(merged.damaged)} damaged: {target.root}")
    for key, difference in merged.conflicts.items():
        print(f"conflict: {key}: {difference}; the existing record was kept", file=sys.stderr)
    for key in merged.damaged:
        print(f"damaged: {key} has no readable record and was left out", file=sys.stderr)
    return 1 if merged.conflicts or merged.damaged else 0
