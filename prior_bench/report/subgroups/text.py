"""Format comparisons of groups as Markdown or CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence

from prior_bench.errors import unknown_name
from prior_bench.escaping import markdown as md
from prior_bench.escaping import spreadsheet
from prior_bench.report.subgroups.collect import Section, corrected
from prior_bench.report.subgroups.compare import Estimate, Gap

HEADINGS = {"auroc": "AUROC ↑", "fnr": "FNR ↓", "fpr": "FPR ↓", "underdiagnosis": "Underdiagnosis ↓"}
"""Headings by quantity."""

CAPTION = (
    "All values × 100, means over classes and seeds, with 95 % intervals (bootstrap over test patients; all "
    "groups on the same resamples). Gap: largest minus smallest value of the groups. It is above 0 by chance "
    "alone, and its interval is biased upward too: 'by chance' is its mean after random exchanges of the "
    "groups between patients, p the share of exchanges with a gap at least as large, and Holm's p is "
    "corrected over all gaps printed here."
)


def render(sections: Sequence[Section], style: str = "markdown") -> str:
    """Return the comparisons as text.

    Args:
        sections: from :func:`prior_bench.report.subgroups.collect.collect`.
        style: ``"markdown"``, or ``"csv"`` with one line per value.

    Raises:
        BenchError: the style is unknown.
    """
    styles = {"markdown": markdown, "csv": as_csv}
    if style not in styles:
        raise unknown_name("format", style, list(styles), where="--format")
    return styles[style](sections)


def markdown(sections: Sequence[Section]) -> str:
    """Return two tables for each section: the values of the groups, and the gaps."""
    p_values, parts = corrected(sections), []
    for n, section in enumerate(sections):
        parts.append(f"## {md.markdown(section.title)}")
        if section.found.rows:
            parts += [_values(section), _gaps(section, n, p_values)]
            parts.append(f"Classes: {md.markdown(', '.join(section.found.classes))}.")
        if section.found.notes:
            parts.append(md.markdown(" ".join(section.found.notes)))
    if any(section.found.rows for section in sections):
        parts.append(CAPTION)
    if any(section.synthetic for section in sections):
        parts.append("Synthetic data: generated phantoms, not patients.")
    return "\n\n".join(parts) + "\n"


def as_csv(sections: Sequence[Section]) -> str:
    """Return one line per value and per gap, as shares; empty where a column does not apply."""
    p_values, stream = corrected(sections), io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")

    def write(*values: object) -> None:
        writer.writerow([spreadsheet.cell(value) for value in values])

    where = ["task", "data", "protocol", "labels", "attribute", "backbone", "seeds", "metric"]
    what = ["group", "images", "patients", "value", "lower", "upper", "worst", "chance", "p", "p_holm"]
    write(*where, *what)
    for n, section in enumerate(sections):
        found = section.found
        about = [section.task, section.data, section.protocol, section.labels, found.attribute]
        for row in found.rows:
            for metric, estimates in row.values.items():
                mine = [*about, row.name, " ".join(map(str, row.seeds)), metric]
                for group, one in zip(found.groups, estimates, strict=True):
                    size = [group.name, group.images, group.patients]
                    write(*mine, *size, *_numbers(one.value, one.lower, one.upper), *[""] * 4)
                gap = row.gaps[metric]
                numbers = _numbers(gap.size.value, gap.size.lower, gap.size.upper)
                tested = _numbers(gap.chance, gap.p, p_values[n, row.name, metric])
                write(*mine, "gap", "", "", *numbers, gap.worst, *tested)
    return stream.getvalue()


def estimate_text(one: Estimate) -> str:
    """Format a value and its interval, × 100."""
    if not math.isfinite(one.value):
        return "–"
    if not math.isfinite(one.lower):
        return f"{100 * one.value:.1f}"
    return f"{100 * one.value:.1f} [{100 * one.lower:.1f}, {100 * one.upper:.1f}]"


def p_text(p: float) -> str:
    """Format a p value."""
    return "–" if not math.isfinite(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def chance_text(gap: Gap) -> str:
    """Format the mean gap by chance, × 100."""
    return f"{100 * gap.chance:.1f}" if math.isfinite(gap.chance) else "–"


def _values(section: Section) -> str:
    found = section.found
    metrics = list(dict.fromkeys(metric for row in found.rows for metric in row.values))
    rows = [
        [row.name, group.name, str(group.images), str(group.patients)]
        + [estimate_text(row.values[m][g]) if m in row.values else "–" for m in metrics]
        for row in found.rows
        for g, group in enumerate(found.groups)
    ]
    headings = ["Backbone", found.attribute, "Images", "Patients", *(HEADINGS[m] for m in metrics)]
    return _table(headings, rows, 2)


def _gaps(section: Section, n: int, p_values: dict[tuple[int, str, str], float]) -> str:
    rows = [
        [
            row.name,
            HEADINGS[metric].split()[0],
            estimate_text(gap.size),
            gap.worst,
            chance_text(gap),
            p_text(gap.p),
            p_text(p_values[n, row.name, metric]),
        ]
        for row in section.found.rows
        for metric, gap in row.gaps.items()
    ]
    return _table(["Backbone", "Gap of", "Gap", "Worst group", "By chance", "p", "Holm's p"], rows, 2)


def _table(headings: list[str], rows: list[list[str]], words: int) -> str:
    from tabulate import tabulate

    align = ["left"] * words + ["right"] * (len(headings) - words)
    shown = [[md.markdown(value) for value in row] for row in rows]
    heads = [md.markdown(heading) for heading in headings]
    return tabulate(shown, heads, tablefmt="pipe", disable_numparse=True, colalign=align)


def _numbers(*values: float) -> list[str]:
    return [f"{value:.6g}" if math.isfinite(value) else "" for value in values]
