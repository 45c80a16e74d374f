"""``prior-bench leaderboard check|build``: check bundles of results, and make a static site of them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prior_bench.leaderboard.checking import CheckedBundle

HELP = "check bundles of results, or make a static site of many (docs/leaderboard.md)"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    checking = actions.add_parser(
        "check", help="say whether bundles are sound, and which numbers are verified"
    )
    checking.add_argument("bundles", nargs="+", metavar="BUNDLE", help="files of 'results bundle'")
    checking.add_argument("--json", action="store_true", help="print the outcome as JSON")
    building = actions.add_parser("build", help="write the site of all bundles in a folder")
    building.add_argument("folder", metavar="DIR", help="folder with bundles (*.zip)")
    building.add_argument("--out", required=True, metavar="SITE", help="folder to write; ours are replaced")
    building.add_argument("--title", default="Leaderboard", help="title of the site")
    building.add_argument(
        "--url", default="", help="address at which the site will be, which the metadata of models then names"
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb; return 1 if a bundle is not sound."""
    return {"check": _check, "build": _build}[args.action](args)


def _check(args: argparse.Namespace) -> int:
    import json
    import sys

    from prior_bench.errors import BenchError
    from prior_bench.public.leaderboards import check_bundle

    outcomes, sound = [], True
    for path in args.bundles:
        try:
            found = check_bundle(path)
        except BenchError as error:
            sound = False
            outcomes.append({"file": str(path), "sound": False, "problems": [str(error)]})
            if not args.json:
                print(f"not sound: {error}", file=sys.stderr)
            continue
        sound &= found.sound
        outcomes.append(found.as_dict())
        if not args.json:
            _print(str(path), found)
    if args.json:
        print(json.dumps(outcomes, indent=1))
    return 0 if sound else 1


def _print(path: str, found: CheckedBundle) -> None:
    """Print the outcome for one bundle; what is wrong goes to stderr."""
    import sys

    for problem in found.problems:
        print(f"not sound: {path}: {problem}", file=sys.stderr)
    if not found.sound:
        return
    print(f"sound: {path}: {len(found.records)} records, sha256 {found.opened.sha256}")
    if found.verified:
        print(f"  verified: numbers of {found.verified} records recomputed from predictions")
    reasons = [again.why for again in found.recomputed.values() if not again.verified]
    for why in dict.fromkeys(reasons):
        print(f"  unverified: {reasons.count(why)} records: {why}")


def _build(args: argparse.Namespace) -> int:
    import sys

    from prior_bench.public.leaderboards import build_leaderboard

    built = build_leaderboard(args.folder, args.out, title=args.title, url=args.url)
    for name, problems in built.left_out.items():
        print(f"left out: {name}: {problems[0]}", file=sys.stderr)
        for problem in problems[1:]:
            print(f"  {problem}", file=sys.stderr)
    for conflict in built.conflicts:
        print(f"conflict: {conflict}", file=sys.stderr)
    counts = ((built.bundles, "bundle"), (built.rows, "row"), (built.protocols, "protocol"))
    told = ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counts)
    print(f"{told}: {built.place}")
    return 1 if built.left_out else 0
