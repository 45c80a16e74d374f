"""``prior-bench data``: describe, check, prepare or cache a data set, or generate the sample benchmark."""

import argparse
import json
import sys
from typing import Any

from prior_bench.cli.arguments import at_least

HELP = "describe, check, prepare or cache a data set, or generate the sample benchmark"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs and their arguments."""
    verbs = parser.add_subparsers(dest="data_verb", metavar="SUBVERB", required=True)

    describe = verbs.add_parser(
        "describe", help="print what a data set is, its origin and its expected folder"
    )
    describe.add_argument("name", metavar="NAME", help="registered data set (prior-bench list)")

    check = verbs.add_parser(
        "check", help="print what a data set holds, what is wrong with it, and whether it is usable"
    )
    _add_reference(check)
    check.add_argument("--split", default="default", metavar="RULE", help="split rule (see describe)")
    check.add_argument("--quick", action="store_true", help="read only image headers, decode nothing")
    check.add_argument(
        "--near", action="store_true", help="also look for near-identical images in two splits (slower)"
    )
    check.add_argument("--strict", action="store_true", help="exit with status 1 for remarks, too")
    check.add_argument("--json", action="store_true", help="print the outcome as JSON")
    check.add_argument(
        "--report", metavar="FILE", help="also write the outcome as an HTML page with pictures"
    )
    check.add_argument(
        "--tokenizer",
        metavar="DIR",
        help="tokenizer to count the tokens of reports (default: one trained on the reports)",
    )

    prepare = verbs.add_parser("prepare", help="read annotations and splits once, for faster opening later")
    _add_reference(prepare)
    prepare.add_argument(
        "--split", action="append", metavar="RULE", help="split rule; may be repeated; 'every' prepares all"
    )

    cache = verbs.add_parser("cache", help="decode and reduce all images once, for faster reading later")
    _add_reference(cache)
    cache.add_argument("--size", type=int, required=True, help="longest side of the cached images, in pixels")
    cache.add_argument("--split", default="default", metavar="RULE", help="split rule (see describe)")
    cache.add_argument(
        "--workers",
        type=at_least(1),
        metavar="N",
        help="number of images to process at the same time (default: number of cores)",
    )

    verbs.add_parser("sample", help="generate the synthetic sample benchmark and print its folders")


def _add_reference(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", metavar="REF", help="NAME, NAME@DIR, sample:NAME or FILE.csv")
    parser.add_argument("--root", metavar="DIR", help="folder of the data set, the same as NAME@DIR")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="option of the reader (see describe)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the sub-verb."""
    verbs = {
        "describe": _describe,
        "check": _check,
        "prepare": _prepare,
        "cache": _cache,
        "sample": _sample,
    }
    return verbs[args.data_verb](args)


def _describe(args: argparse.Namespace) -> int:
    from prior_bench.data.cards import card
    from prior_bench.registry import DATASETS

    found = card(args.name)
    print(
        found.text(args.name)
        if found
        else f"{args.name}: no description; read by {DATASETS.source(args.name)}"
    )
    return 0


def _check(args: argparse.Namespace) -> int:
    from prior_bench.data.cards import card
    from prior_bench.data.checking.check import check
    from prior_bench.data.open import open_dataset

    reference = _reference(args)
    manifest = open_dataset(reference, args.split)
    found = card(reference["type"])
    comparable = not args.set and not manifest.synthetic
    published = found.published if found is not None and comparable else None
    decode = not args.quick
    report = check(manifest, decode=decode, near=args.near, published=published, tokenizer=args.tokenizer)
    if args.json:
        print(json.dumps(report.plain(manifest.name), indent=1, ensure_ascii=False))
    else:
        print(report.text(manifest.name))
    if args.report:
        from prior_bench.report.html.data_page import write_data_page

        print(f"report written to {write_data_page(manifest, report, args.report)}", file=sys.stderr)
    return report.status(args.strict)


def _prepare(args: argparse.Namespace) -> int:
    from prior_bench.data.cards import card
    from prior_bench.data.open import prepare_dataset
    from prior_bench.errors import BenchError, ErrorList

    reference = _reference(args)
    rules = args.split or ["default"]
    if "every" in rules:
        found = card(reference["type"])
        rules = list(found.splits) if found else ["default"]
    errors = []  # one rule with missing lists must not stop the other rules
    for rule in rules:
        try:
            manifest, place, written = prepare_dataset(reference, rule)
        except BenchError as error:
            errors.append(error)
            continue
        summary = manifest.split_summary()
        sizes = "/".join(f"{summary[part]:,}" for part in ("train", "valid", "test"))
        state = "written to" if written else "up to date:"
        print(f"{rule}: {len(manifest):,} images ({sizes}), hash {summary['hash']}, {state} {place}")
    if errors:
        raise errors[0] if len(rules) == 1 else ErrorList("these split rules cannot be prepared:", errors)
    return 0


def _cache(args: argparse.Namespace) -> int:
    from prior_bench.data.images.cache.build import build
    from prior_bench.data.images.cache.image_cache import outdated
    from prior_bench.data.open import open_dataset
    from prior_bench.errors import BenchError, ErrorList

    reference = {**_reference(args), "cache": None}
    manifest = open_dataset(reference, args.split)
    built = build(manifest, args.size, args.workers)
    for shard, why in built.dropped.items():
        print(f"written again: {shard.name}: {why}")
    print(f"{manifest.name}: {built.made:,} images cached, {built.kept:,} already present, in {built.folder}")
    for folder in outdated(manifest.root, args.size):
        print(f"remark: {folder} was made by other code and is no longer used; delete it to free disk space")
    if built.unreadable:
        errors = [BenchError(message) for message in list(built.unreadable.values())[:SHOWN]]
        more = f" (the first {SHOWN})" if len(built.unreadable) > SHOWN else ""
        raise ErrorList(
            f"{len(built.unreadable)} image(s) cannot be read; all others are cached{more}:", errors
        )
    print(
        f"use it with --set cache={args.size}, --option cache={args.size}, or cache={args.size} in a config"
    )
    return 0


SHOWN = 50
"""Largest number of unreadable images that are printed."""


def _reference(args: argparse.Namespace) -> dict[str, Any]:
    """Return the data reference with ``--root`` and the options of ``--set``."""
    from prior_bench.cli.arguments import assignments
    from prior_bench.data.references import resolve

    root = {"root": args.root} if args.root else {}
    return {**resolve(args.data), **root, **assignments(args.set, "--set")}


def _sample(args: argparse.Namespace) -> int:
    from prior_bench.sample import sample_root

    for name in ("mimic_cxr", "chexpert", "rsna_pneumonia", "siim_acr"):
        print(f"{name:16}{sample_root(name)}")
    print("synthetic: use them as sample:NAME, e.g. prior-bench data check sample:rsna_pneumonia")
    return 0
