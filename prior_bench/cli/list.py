"""``prior-bench list``: available names, and where each one comes from."""

import argparse

KINDS = (
    "methods",
    "backbones",
    "layouts",
    "tasks",
    "datasets",
    "corruptions",
    "protocols",
    "suites",
    "tables",
)
HELP = "list methods, backbones, layouts, tasks, data sets, corruptions, protocols, suites and tables"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verb."""
    parser.add_argument("kind", nargs="?", choices=KINDS, help="default: everything")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    blocks = []
    for kind in [args.kind] if args.kind else KINDS:
        lines = _lines(kind)
        width = max((len(name) for name, _ in lines), default=0)
        body = [f"  {name:<{width}}  {source}" for name, source in lines] or ["  none"]
        blocks.append("\n".join([kind, *body]))
    print("\n\n".join(blocks))
    return 0


def _lines(kind: str) -> list[tuple[str, str]]:
    """Name and origin of each entry."""
    from prior_bench import registry
    from prior_bench.suites import protocols

    registries = {
        "methods": registry.METHODS,
        "backbones": registry.BACKBONES,
        "layouts": registry.LAYOUTS,
        "tasks": registry.TASKS,
        "datasets": registry.DATASETS,
        "corruptions": registry.CORRUPTIONS,
        "protocols": protocols.PROTOCOLS,
    }
    names = registries[kind].names() if kind in registries else []
    lines = [(name, registries[kind].source(name)) for name in names]
    return lines + [line for line in _shipped(kind) if line[0] not in names]


def _shipped(kind: str) -> list[tuple[str, str]]:
    """Config files that come with the package; for backbones, the pre-training configs."""
    from prior_bench import paths

    folder = paths.shipped("configs") / {"backbones": "pretrain"}.get(kind, kind)
    files = sorted(folder.rglob("*.py"))
    return [(file.relative_to(folder).with_suffix("").as_posix(), str(file)) for file in files]
