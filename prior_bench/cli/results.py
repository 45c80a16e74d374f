"""``prior-bench results export|import|migrate|bundle``: move records, or make a bundle for a leaderboard."""

import argparse

HELP = "export or import records, migrate old ones, or make a bundle of them for a leaderboard"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
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
    migrating = actions.add_parser(
        "migrate", help="move records and pre-trained weights of earlier versions to today's keys"
    )
    migrating.add_argument("stores", nargs="*", metavar="STORE", help="names or folders (default: all)")
    migrating.add_argument(
        "--own",
        action="store_true",
        help="the records are your own: also look up code, files and models of a hub that they name",
    )
    migrating.add_argument("--dry-run", action="store_true", help="print what would happen, without writing")
    bundling = actions.add_parser(
        "bundle", help="write the finished records to a bundle, which may be shown (docs/leaderboard.md)"
    )
    bundling.add_argument("suite", help="name of the suite, or the folder of its store")
    bundling.add_argument("--title", required=True, help="title of the bundle")
    bundling.add_argument("--contact", default="", help="who answers questions: a name, an address, a link")
    bundling.add_argument("--licence", default="", help="licence of the numbers, for example CC-BY-4.0")
    bundling.add_argument("--note", default="", help="what a reader should know, in a line")
    bundling.add_argument(
        "--card",
        action="append",
        default=[],
        metavar="[ROW=]FILE.json",
        help="card of a row, as in configs/models; may be repeated (default: what the records say)",
    )
    bundling.add_argument(
        "--predictions",
        action="store_true",
        help="enclose the predictions, which hold the labels of the test images: others can then compute "
        "the numbers again, which are otherwise unverified",
    )
    bundling.add_argument("--output", metavar="FILE", help="default: SUITE-bundle.zip")


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if an import found a conflict or a damaged record."""
    return {"export": _export, "import": _import, "migrate": _migrate, "bundle": _bundle}[args.action](args)


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
    if merged.replaced:
        counts = f"{len(merged.replaced)} finished that had failed here, {counts}"
    print(f"{counts}, {len(merged.conflicts)} in conflict, {len(merged.damaged)} damaged: {target.root}")
    for key, difference in merged.conflicts.items():
        print(f"conflict: {key}: {difference}; the existing record was kept", file=sys.stderr)
    for key, reason in merged.damaged.items():
        print(f"damaged: {key} was left out: {reason}", file=sys.stderr)
    return 1 if merged.conflicts or merged.damaged else 0


def _migrate(args: argparse.Namespace) -> int:
    from prior_bench import paths
    from prior_bench.api import LoadContext
    from prior_bench.pretraining.migrate import migrate_folders
    from prior_bench.report.runs.find_run import require_store
    from prior_bench.report.runs.reported_runs import EVERY_SUITE, stores_of
    from prior_bench.suites.migrate import migrate

    stores = [require_store(name) for name in args.stores] or stores_of([EVERY_SUITE])
    would = "would be " if args.dry_run else ""
    context = LoadContext(pretrain_dir=paths.results_root() / "pretrain")
    folders = migrate_folders(context.pretrain_dir, dry_run=args.dry_run, own=args.own)
    if folders.moved or folders.left or folders.current:
        counts = f"{len(folders.current)} current, {len(folders.moved)} {would}migrated"
        print(f"pre-trained weights: {counts}, {len(folders.left)} left: {context.pretrain_dir}")
    for old, new in folders.moved.items():
        print(f"  {old.name} -> {new.name}")
    _print_left({folder.name: reason for folder, reason in folders.left.items()})
    for store in stores:
        done = migrate(store, context, dry_run=args.dry_run, own=args.own)
        counts = f"{len(done.current)} current, {len(done.moved)} {would}migrated, {len(done.left)} left"
        print(f"records: {counts}: {store.root}")
        for old_key, new_key in done.moved.items():
            print(f"  {old_key} -> {new_key}")
        _print_left(done.left)
    return 0


def _bundle(args: argparse.Namespace) -> int:
    import sys
    from pathlib import Path

    from prior_bench.public.leaderboards import bundle
    from prior_bench.report.runs.find_run import require_store

    store = require_store(args.suite)
    made = bundle(
        store,
        Path(args.output or f"{store.root.resolve().name}-bundle.zip"),
        title=args.title,
        contact=args.contact,
        licence=args.licence,
        note=args.note,
        cards=args.card,
        predictions=args.predictions,
    )
    if made.data:
        print(
            f"warning: the bundle holds the labels of the test images of {', '.join(made.data)}; share it "
            "only if the terms of these data allow it",
            file=sys.stderr,
        )
    left = f", {made.left_out} left out (failed or rehearsed)" if made.left_out else ""
    print(f"{made.records} records, {made.enclosed} with predictions{left}: {made.path}")
    print(f"sha256 {made.sha256}")
    return 0


def _print_left(reasons: dict[str, str]) -> None:
    """Print what was not migrated, by reason."""
    for reason in dict.fromkeys(reasons.values()):
        names = [name for name, own in reasons.items() if own == reason]
        print(f"  {len(names)} left: {reason}: {', '.join(names)}")
