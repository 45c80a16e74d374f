"""Write the outcome of ``data check`` as one HTML page with pictures; it loads nothing from the network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from prior_bench.data.checking.findings import LEVELS, CheckReport, DataFinding
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError
from prior_bench.escaping.page import environment
from prior_bench.io.atomic import write_text
from prior_bench.pictures.radiographs import Original, Picture
from prior_bench.report.html.sortable import SortableTable, words
from prior_bench.report.runs.run_text import inline
from prior_bench.store.provenance import command

TEMPLATE = "data_page.html.j2"
SHOWN = 4
"""Number of pictures of each split and of each finding."""


@dataclass(frozen=True)
class Shown:
    """A picture with its caption."""

    picture: Picture
    caption: str


def write_data_page(manifest: Manifest, report: CheckReport, place: str | Path) -> Path:
    """Write the page.

    Args:
        manifest: the data set that was checked.
        report: outcome of the check.
        place: file to write.

    Raises:
        BenchError: the file cannot be written.
    """
    return write_text(Path(place), data_page(manifest, report), "name a file in a folder that can be written")


def data_page(manifest: Manifest, report: CheckReport) -> str:
    """Return the page as one HTML text."""
    templates = environment(Path(__file__).parent / "templates")
    templates.filters["inline"] = inline
    row = {str(sample): number for number, sample in enumerate(manifest.table["id"])}
    findings = [
        (finding, _pictures(manifest, row, _samples(finding, row)))
        for level in reversed(LEVELS)
        for finding in report.findings
        if finding.level == level
    ]
    return templates.get_template(TEMPLATE).render(
        name=manifest.name,
        synthetic=manifest.synthetic,
        verdict=report.verdict,
        split=report.split,
        counts=_table("Counts of each split.", ["", *SPLITS], report.counts),
        columns=_table("Use of each column.", ["Column", "Use"], list(report.columns.items())),
        published=_table("Published counts.", ["", "Published"], list(report.published.items())),
        findings=findings,
        examples=[(split, _pictures(manifest, row, _of_split(manifest, split))) for split in SPLITS],
        date=datetime.now().astimezone().strftime("%-d %B %Y, %H:%M %Z"),
        command=command(),
    )


def _table(caption: str, columns: list[str], rows: list[tuple[str, ...]]) -> SortableTable | None:
    if not rows:
        return None
    table = SortableTable(caption, columns)
    table.rows += [[words(cell) for cell in row] for row in rows]
    return table


def _samples(finding: DataFinding, row: dict[str, int]) -> list[str]:
    """Return the ids among the examples of a finding; an example may name a pair, "one = other"."""
    named = [name for example in finding.examples for name in (example, *example.split(" = "))]
    return [name for name in dict.fromkeys(named) if name in row][:SHOWN]


def _of_split(manifest: Manifest, split: str) -> list[str]:
    return [str(one) for one in manifest.table.loc[manifest.table["split"] == split, "id"].head(SHOWN)]


def _pictures(manifest: Manifest, row: dict[str, int], samples: list[str]) -> list[Shown]:
    """Return the pictures that can be read; a finding names those that cannot."""
    shown = []
    for sample in samples:
        try:
            picture, _ = Original.read(manifest.path(row[sample])).picture(f"Radiograph {sample}")
        except BenchError:
            continue
        shown.append(Shown(picture, _caption(manifest, row[sample], sample)))
    return shown


def _caption(manifest: Manifest, number: int, sample: str) -> str:
    positive = [name for name in manifest.labels if manifest.cell(name, number) == 1]
    return f"{sample}: {', '.join(positive)}" if positive else sample
