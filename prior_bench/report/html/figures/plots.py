"""Line and dot plots as inline SVG that takes its text colour from the page (light, dark, print)."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prior_bench.report.html.figures.row_style import line_style, marker_of


@dataclass
class Series:
    """A named line: positions, values, and optionally their errors ``std``, drawn as a band or bars."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    std: Sequence[float] = field(default_factory=list)


@dataclass
class Plot:
    """A figure: ``<svg>`` text and a caption."""

    svg: str
    caption: str


@dataclass
class Multiples:
    """Small panels of one kind with a common legend.

    Attributes:
        title: what they show.
        names: rows in the legend.
        plots: one per class.
        note: what must be said besides.
    """

    title: str
    names: list[str]
    plots: list[Plot] = field(default_factory=list)
    note: str = ""


def line_plot(
    series: list[Series],
    *,
    x_label: str,
    y_label: str,
    alt: str,
    colours: dict[str, str],
    x_ticks: dict[float, str] | None = None,
    log_x: bool = False,
    legend: bool = True,
    size: tuple[float, float] = (4.6, 3.0),
) -> str:
    """Lines over a common axis.

    Args:
        colours: colour of each series, by name.
        x_ticks: labelled positions; default, matplotlib's choice.

    Returns:
        An ``<svg>`` element with ``alt`` as its title and the values as its description.
    """
    figure, axes = _figure(size)
    for i, line in enumerate(series):
        colour = colours[line.name]
        axes.plot(
            line.x,
            line.y,
            color=colour,
            marker=marker_of(line.name, colours) if len(line.x) <= 30 else "",
            linestyle=line_style(line.name, colours),
            markersize=4.5,
            linewidth=1.6,
            label=line.name,
        )
        if any(math.isfinite(s) for s in line.std):
            low = [y - (s if math.isfinite(s) else 0) for y, s in zip(line.y, line.std, strict=True)]
            high = [y + (s if math.isfinite(s) else 0) for y, s in zip(line.y, line.std, strict=True)]
            axes.fill_between(line.x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=i)
    if log_x:
        axes.set_xscale("log")
    if x_ticks:
        axes.set_xticks(list(x_ticks), list(x_ticks.values()))
        axes.minorticks_off()
    elif not log_x:
        axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.margins(x=0.03)
    if legend and len(series) > 1:
        axes.legend(frameon=False, loc="best", handlelength=2.8)
    positions = [[(x_ticks or {}).get(x, f"{x:g}") for x in line.x] for line in series]
    return _svg(figure, alt, _in_words(series, positions))


def dot_plot(
    labels: list[str],
    series: list[Series],
    *,
    x_label: str,
    alt: str,
    colours: dict[str, str],
    reference: float | None = None,
    limits: tuple[float, float] | None = None,
) -> str:
    """One line of dots per label, with errors as bars; ``x`` of a series is unused.

    Args:
        labels: from top to bottom.
        reference: position of a dashed vertical line, e.g. chance.
        limits: smallest and largest possible value.
    """
    figure, axes = _figure((5.0, 0.9 + (0.2 + 0.07 * len(series)) * max(len(labels), 2)))
    spread = 0.5 / max(len(series), 1)
    for i, dots in enumerate(series):
        positions = [row + (i - (len(series) - 1) / 2) * spread for row in range(len(labels))]
        bars = [s if math.isfinite(s) else 0 for s in dots.std] or None
        axes.errorbar(
            dots.y,
            positions,
            xerr=bars,
            fmt=marker_of(dots.name, colours),
            color=colours[dots.name],
            markersize=5,
            elinewidth=1.4,
            label=dots.name,
        )
    if reference is not None:
        axes.axvline(reference, color="black", linestyle="--", linewidth=0.8, alpha=0.6)
    if limits is not None:  # an error bar may reach beyond what the quantity can be
        low, high = axes.get_xlim()
        axes.set_xlim(max(low, limits[0]), min(high, limits[1]))
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(x_label)
    if len(series) > 1:
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0)
    return _svg(figure, alt, _in_words(series, [labels] * len(series)))


def _in_words(series: list[Series], positions: list[list[str]]) -> str:
    """The values, for those who cannot see them; of long lines the first and the last."""
    told = []
    for line, places in zip(series, positions, strict=True):
        values = [f"{p} {y:.3g}" for p, y in zip(places, line.y, strict=True) if math.isfinite(y)]
        values = values if len(values) <= 15 else [values[0], "…", values[-1]]
        told.append(f"{line.name}: {', '.join(values)}")
    return "; ".join(told)


def _figure(size: tuple[float, float]) -> tuple[Any, Any]:
    """A figure outside pyplot's global state, on matplotlib's SVG backend."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="black", alpha=0.12, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=3)
    return figure, axes


def _svg(figure: Any, alt: str, description: str) -> str:
    import matplotlib

    style = {
        "svg.fonttype": "none",  # text stays text: selectable, and in the page's font
        "svg.hashsalt": alt,  # ids that are the same on every run and differ between figures
        "font.size": 10,
    }
    buffer = io.StringIO()
    with matplotlib.rc_context(style):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"#000000|(?<=: )black\b", "currentColor", text)
    text = re.sub(r"\s*font-family: [^;\"]*;?", "", text)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # would apply to the whole page
    text = re.sub(r'<g id="[^"]*"', "<g", text)  # the same in every figure
    # text that states no colour is black by default
    text = text.replace("<text ", '<text fill="currentColor" ')
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()
    head = f'<svg role="img" viewBox="0 0 {width} {height}" style="max-width:{float(width) * 1.4:.0f}px">'
    head += f"<title>{html.escape(alt)}</title><desc>{html.escape(description)}</desc>"
    return re.sub(r"<svg[^>]*>", lambda _: head, text, count=1)
