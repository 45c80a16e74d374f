"""``prior-bench schema``: print the keys of config files."""

import argparse

HELP = "print the keys of config files, as a Markdown reference or as JSON Schema for editors"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--markdown", action="store_true", help="the reference of all keys (default)")
    output.add_argument(
        "--json",
        nargs="?",
        const="",
        metavar="NAME",
        help="JSON Schema of pretrain, suite, table, scale, cluster, prompts, model or protocol/TASK; "
        "without NAME, of all",
    )


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    import json

    from prior_bench.schema import reference

    if args.json is None:
        print(reference.markdown(), end="")
        return 0
    found = (
        reference.json_schema(args.json)
        if args.json
        else {name: reference.json_schema(name) for name in reference.kinds()}
    )
    print(json.dumps(found, indent=1, ensure_ascii=False))
    return 0
