"""``prior_bench.table`` and ``prior_bench.compare``: compare stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from prior_bench.errors import BenchError
from prior_bench.public.results import Result, Results, one_run
from prior_bench.public.stores import as_store
from prior_bench.report.comparing.compare import compare_runs
from prior_bench.report.published.beside import published_table, table_beside
from prior_bench.report.runs.reported_runs import EVERY_SUITE, reported_runs, stores_of
from prior_bench.report.tables.leaderboard import leaderboard
from prior_bench.report.tables.render import html_table, render
from prior_bench.report.tables.table import Table, TableConfig, build_table, load_table
from prior_bench.store.changed_source import warn_of_records
from prior_bench.store.store import Store

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ComparisonTable:
    """A filled table, which is shown as HTML in a notebook and printed as Markdown.

    Attributes:
        filled: columns, rows, cells and notes.
        beside: whether it has columns with our numbers, published ones and their differences.
    """

    filled: Table
    beside: bool = False

    def frame(self) -> pd.DataFrame:
        """Return one line per cell: backbone, column, mean, deviation, seeds, interval, mark and reason."""
        return self.filled.frame()

    def render(self, style: str = "markdown") -> str:
        """Render the table as text: ``"markdown"``, ``"latex"``, ``"csv"``, ``"html"`` or ``"json"``.

        Raises:
            BenchError: the style is unknown.
        """
        return render(self.filled, style)

    def __str__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        return html_table(self.filled)


def table(
    name: str | Path | None = None,
    *,
    data: str | None = None,
    stores: str | Path | Store | Sequence[str | Path | Store] = (),
    published: Literal["", "beside", "only"] = "",
    trivial: bool = False,
    test: bool = True,
) -> ComparisonTable:
    """Make a comparison table from stored records, without running anything.

    Args:
        name: name of a shipped table (``prior_bench.available("tables")``), or a config file. By default, the
            table is a leaderboard: every backbone in every evaluation of the stores, by mean rank.
        data: data of ``prior-bench run NAME --data``, for the table of that run.
        stores: names under the results root, folders or stores; by default those of the table's suites, or
            all stores for a leaderboard.
        published: ``"beside"`` adds published numbers next to ours, ``"only"`` shows them alone.
        trivial: whether to add rows of predictors that do not look at the image.
        test: whether to make the paired significance tests; without them, nothing is bold.

    Returns:
        A ComparisonTable; ``frame()`` returns a DataFrame, ``render("latex")`` a text.

    Raises:
        BenchError: the table is unknown, arguments exclude each other, or there is no run to show.

    Example:
        >>> import prior_bench as pb
        >>> print(pb.table("demo").render("latex"))
    """
    given = [stores] if isinstance(stores, (str, Path, Store)) else list(stores)
    if name is None:
        if data or published or trivial:
            fix = "leave out data, published and trivial, or give a table"
            raise BenchError("a leaderboard takes none of these", where="table", fix=fix)
        places = _warned(_stores(given) or stores_of([EVERY_SUITE]))
        return ComparisonTable(leaderboard(places, test=test))
    if data:
        if published:
            fix = "remove one of the two options"
            raise BenchError("published numbers do not apply to other data", where="data", fix=fix)
        suite = next((one for one in reversed(given) if isinstance(one, str)), str(name))
        config = _on_data(suite, data, str(name))
        places = _warned(stores_of(config.suites))
        return ComparisonTable(build_table(config, places, trivial=trivial, test=test))
    config = load_table(str(name))
    if published == "only":
        return ComparisonTable(published_table(config))
    if published == "beside" or not all(column.protocol for column in config.columns):
        config.suites = [one for one in given if isinstance(one, str)] or config.suites
        _warned(stores_of(config.suites))
        return ComparisonTable(table_beside(config), beside=True)
    places = _warned(_stores(given) or stores_of(config.suites))
    return ComparisonTable(build_table(config, places, trivial=trivial, test=test))


def compare(first: Result | str, second: Result | str) -> pd.DataFrame:
    """Compare two runs on the same test patients by paired tests of all metrics, corrected by Holm's method.

    Args:
        first: a result, the key of a record, the prefix of a key, or ``SUITE/KEY``.
        second: the same of the other run.

    Returns:
        One line per metric: ``first``, ``second``, ``difference`` (second minus first), ``p`` and a verdict
            on the second.

    Raises:
        BenchError: a run does not exist or failed, or the runs share no metric.

    Example:
        >>> import prior_bench as pb
        >>> small, large = (pb.evaluate(f"timm:{name}", "classification", "my.csv")
        ...                 for name in ("resnet18", "resnet50"))
        >>> pb.compare(small, large)
    """
    import pandas as pd

    if isinstance(first, Results) or isinstance(second, Results):
        raise BenchError("compares two runs", where="compare", fix="give single results, e.g. results[0]")
    lines = [
        {
            "metric": line.what,
            "first": line.first,
            "second": line.second,
            "difference": line.second - line.first,
            "p": line.p,
            "verdict": line.verdict,
        }
        for line in compare_runs(one_run(first), one_run(second))
    ]
    return pd.DataFrame(lines).set_index("metric")


def _stores(given: Sequence[str | Path | Store]) -> list[Store]:
    found: list[Store] = []
    for one in given:
        found += stores_of([one]) if isinstance(one, str) else [as_store(one)]
    return found


def _warned(stores: list[Store]) -> list[Store]:
    """Return the stores, after a warning on stderr if other source code made some of their records."""
    records = (run.record for run in reported_runs(stores))
    warn_of_records(records, "prior-bench run SUITE --overwrite all")
    return stores


def _on_data(suite: str, data: str, name: str) -> TableConfig:
    from prior_bench.report.tables.suite_tables import named_table
    from prior_bench.suites.scale import with_data
    from prior_bench.suites.suite import load_suite

    return named_table(with_data(load_suite(suite), data), name)
