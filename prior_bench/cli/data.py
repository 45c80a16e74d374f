"""``prior-bench data``: describe a data set, check one, or generate the sample benchmark."""

import argparse
from typing import Any

HELP = "describe a data set, check one that you have, generate the sample benchmark"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-verbs and their arguments."""
    verbs = parser.add_subparsers(dest="data_verb", metavar="SUBVERB", required=True)

    describe = verbs.add_parser("describe", help="what a data set is, where from, how its folder should look")
    describe.add_argument("name", metavar="NAME", help="registered data set (prior-bench list)")

    check = verbs.add_parser("check", help="counts, unreadable images, shared patients, split hash, verdict")
    check.add_argument("data", metavar="REF", help="NAME, NAME@DIR, sample:NAME or FILE.csv")
    check.add_argument("--split", default="default", metavar="RULE", help="split rule (see describe)")
    check.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="option of the reader (see describe)"
    )
    check.add_argument("--quick", action="store_true", help="read image headers only, decode nothing")

    verbs.add_parser("sample", help="generate the synthetic sample benchmark and say where it lies")


def run(args: argparse.Namespace) -> int:
    """Do what the sub-verb says."""
    return {"describe": _describe, "check": _check, "sample": _sample}[args.data_verb](args)


def _describe(args: argparse.Namespace) -> int:
    from prior_bench.data.cards import card
    from prior_bench.registry import DATASETS

    found = card(args.name)
    print(found.text(args.name) if found else f"{args.name}: no card; read by {DATASETS.source(args.name)}")
    return 0


def _check(args: argparse.Namespace) -> int:
    from prior_bench.data.check import check
    from prior_bench.data.open import open_dataset, resolve

    reference = {**resolve(args.data), **dict(map(_option, args.set))}
    report = check(manifest := open_dataset(reference, args.split), decode=not args.quick)
    print(report.text(manifest.name))
    return 0 if report.sound else 1


def _option(text: str) -> tuple[str, Any]:
    """``KEY=VALUE``; the value as JSON where it is some, else as text."""
    import json

    from prior_bench.errors import BenchError

    key, equals, value = text.partition("=")
    if not equals:
        raise BenchError(f"'{text}' is not KEY=VALUE", where="--set")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def _sample(args: argparse.Namespace) -> int:
    from prior_bench.data.sample import sample_root

    for name in ("mimic_cxr", "chexpert", "rsna_pneumonia", "siim_acr"):
        print(f"{name:16}{sample_root(name)}")
    print("synthetic: use them as sample:NAME, e.g. prior-bench data check sample:rsna_pneumonia")
    return 0
