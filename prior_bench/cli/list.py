"""``prior-bench list``: print available names and their origins."""

import argparse

KINDS = (
    "methods",
    "backbones",
    "layouts",
    "tasks",
    "datasets",
    "corruptions",
    "protocols",
    "models",
    "prompts",
    "suites",
    "tables",
)
HELP = (
    "list methods, backbones, layouts, tasks, data sets, corruptions, protocols, public models, prompts, "
    "suites and tables"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    parser.add_argument("kind", nargs="?", choices=KINDS, help="default: everything")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    from prior_bench.public.listing import available

    blocks = []
    for kind in [args.kind] if args.kind else KINDS:
        lines = available(kind)
        width = max(map(len, lines), default=0)
        body = [f"  {name:<{width}}  {source}" for name, source in lines.items()] or ["  none"]
        blocks.append("\n".join([kind, *body]))
    print("\n\n".join(blocks))
    return 0
