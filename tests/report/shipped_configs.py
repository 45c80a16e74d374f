"""Names of the configs that come with the package."""

from prior_bench import paths
from prior_bench.report.tables.table import load_table


def shipped(kind: str) -> list[str]:
    folder = paths.shipped("configs") / kind
    return [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.py"))]


def tables_with_published_numbers() -> list[str]:
    return [name for name in shipped("tables") if any(c.published for c in load_table(name).columns)]
