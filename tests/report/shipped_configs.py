"""Names of the configs that come with the package."""

from prior_bench import paths


def shipped(kind: str) -> list[str]:
    folder = paths.shipped("configs") / kind
    return [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.py"))]
