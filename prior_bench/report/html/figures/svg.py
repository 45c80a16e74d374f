"""Convert figures of matplotlib to SVG for the page; no other module writes SVG of figures.

matplotlib cannot write ``currentColor``. Its output is meant for a separate file, with metadata, a style
sheet, a font, and ids that occur in every figure. :func:`to_svg` parses the output and keeps what a page
needs:

- Text, axes and grids are drawn in :data:`INK`, which becomes the text colour of the page. They are therefore
  dark on a light page, light on a dark page and black in print. The colours of the rows do not change.
- Text remains text, in the font of the page.
- Only markers have ids. They contain a hash of the whole figure, which makes them unique on a page and equal
  in every run. There is no date and no version, so equal values give equal bytes.
- Positions have one decimal, attributes with the default value are left out, and groups without attributes
  are dissolved. A panel takes a few kilobytes instead of 20.

Pictures (:mod:`prior_bench.pictures`) are not figures: their outlines are paths over a photograph.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from prior_bench.escaping.signs import one_line, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#010203"
"""Placeholder for the text colour of the page; no figure uses this colour otherwise."""

FONT_SIZE = 10.0
"""Size of a figure's text in points."""

PIXELS = 1.4
"""CSS pixels per point at the largest size of a figure."""

LONGEST_LABEL = 60
"""Largest number of characters of a name in a figure; texts beside it have it in full."""

STYLE: dict[Any, Any] = {
    "font.size": FONT_SIZE,
    "axes.labelsize": FONT_SIZE,
    "xtick.labelsize": FONT_SIZE,
    "ytick.labelsize": FONT_SIZE,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.solid_capstyle": "butt",
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with dollars is no formula
}
"""Settings of matplotlib under which a figure is drawn and written."""

ROOT = {"fill": "currentColor", "stroke-linejoin": "round", "font-size": f"{FONT_SIZE:g}"}
"""Attributes of the ``<svg>`` element, which its content inherits."""

FILE = {"xmlns": "http://www.w3.org/2000/svg", "font-family": "sans-serif"}
"""Attributes that a page provides, and that a file of its own must have."""

DEFAULTS = {
    "fill": INK,
    "font-size": f"{FONT_SIZE:g}px",
    "stroke-dashoffset": "0",
    "stroke-linecap": "butt",
    "stroke-linejoin": "round",
    "stroke-width": "1",
}
"""Values that an element need not state, because SVG or :data:`ROOT` sets them."""

IGNORED = ("font-family", "font", "clip-path", "stroke-miterlimit")
"""Properties to drop, because fonts are those of the page and no figure draws outside its axes."""

COORDINATES = ("d", "x", "y", "transform")
"""Attributes whose numbers are positions."""


@contextmanager
def page_style() -> Iterator[None]:
    """Apply the settings under which figures are drawn and written.

    All others have matplotlib's own values: with a ``matplotlibrc`` of the working folder, LaTeX could run.
    """
    import matplotlib

    usual = {k: v for k, v in dict.items(matplotlib.rcParamsDefault) if not k.startswith("backend")}
    with matplotlib.rc_context({**usual, **STYLE}):
        yield


def new_axes(
    size: tuple[float, float], box: tuple[float, float, float, float] | None = None
) -> tuple[Figure, Axes]:
    """Make a figure with axes, outside pyplot's global state.

    Args:
        size: width and height of the figure in inches.
        box: left, bottom, width and height of the axes as shares of the figure; by default, labels decide.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout=None if box else "constrained")
    axes = figure.add_axes(box) if box else figure.add_subplot()
    axes.grid(color=INK, alpha=0.15, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, bottom=False, left=False)  # the grid shows where the ticks are
    return figure, axes


def shown_label(text: str) -> str:
    """Return a text as a figure shows it: on one line, and short enough to leave room for the figure."""
    shown = one_line(text)
    return shown if len(shown) <= LONGEST_LABEL else f"{shown[: LONGEST_LABEL - 1]}…"


def to_svg(figure: Figure, title: str, description: str, *, tight: bool = False, file: bool = False) -> str:
    """Convert the figure to an ``<svg>`` element.

    Args:
        figure: the drawn figure.
        title: the name of the figure for a screen reader, in a few words.
        description: the content of the figure in numbers, for screen readers.
        tight: whether to crop to the drawn content for any size of the figure.
        file: whether it is for a file of its own, which states the namespace and a font.
    """
    svg = _drawn(figure, {"role": "img", **ROOT}, tight)
    width = float(svg.attrib["viewBox"].split()[2])
    svg.attrib |= FILE if file else {"style": f"max-width:{PIXELS * width:.0f}px"}
    for position, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ElementTree.Element(tag)
        element.text = text
        svg.insert(position, element)
    return _text_of(svg)


def sign_svg(figure: Figure, css_class: str) -> str:
    """Convert a sign without text, hidden from screen readers; its meaning must be written next to it."""
    return _text_of(_drawn(figure, {"class": css_class, "aria-hidden": "true"}, tight=False))


def _drawn(figure: Figure, attributes: dict[str, str], tight: bool) -> ElementTree.Element:
    buffer = io.StringIO()
    box = {"bbox_inches": "tight", "pad_inches": 0.05} if tight else {}
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}, **box)
    drawn = ElementTree.fromstring(visible(buffer.getvalue()))  # nosec B314
    size = " ".join(f"{float(side):.0f}" for side in drawn.attrib["viewBox"].split())
    svg = ElementTree.Element("svg", {**attributes, "viewBox": size})
    svg.extend(_kept(drawn))
    return svg


def _text_of(svg: ElementTree.Element) -> str:
    _name_markers(svg)
    return visible(ElementTree.tostring(svg, "unicode")).replace(" />", "/>")


def _kept(parent: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """Yield the parts of an element's children that a page needs."""
    for child in parent:
        tag = child.tag.rpartition("}")[2]
        if tag in ("metadata", "style", "clipPath"):
            continue
        element = ElementTree.Element(tag, _attributes(child))
        element.text = (child.text or "").strip() or None
        element.extend(_kept(child))
        invisible = tag == "path" and element.get("fill") == "none" and "stroke" not in element.attrib
        if invisible or (tag == "defs" and not len(element)):
            continue
        if tag == "g" and not element.attrib:
            yield from element
        else:
            yield element


def _attributes(element: ElementTree.Element) -> dict[str, str]:
    """Return attributes and style of an element as attributes, without default values."""
    stated = {name.rpartition("}")[2]: value for name, value in element.attrib.items()}
    for declaration in stated.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        stated[name.strip()] = value.strip()
    if not element.tag.endswith("}path"):  # of the paths, only markers have an id
        stated.pop("id", None)
    kept = {}
    for name, value in stated.items():
        if value and name not in IGNORED and DEFAULTS.get(name) != value:
            value = _compact(value) if name in COORDINATES else value
            kept[name] = "currentColor" if value == INK else value
    if kept.get("transform", "").startswith("rotate(0"):
        del kept["transform"]
    return kept


def _compact(text: str) -> str:
    """Write positions with one decimal and without superfluous spaces."""
    text = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), text)
    text = re.sub(r"-0(?![\d.])", "0", " ".join(text.split()))
    return re.sub(r" ?([A-Za-z]) ?", r"\1", text) if text.startswith("M") else text


def _name_markers(svg: ElementTree.Element) -> None:
    """Give markers ids that are unique to the figure, and state the look of a marker once.

    A marker that is drawn once replaces its only use and needs no id, because legends occur several times on
    a page.
    """
    markers = {path.attrib["id"]: path for path in svg.iter("path") if "id" in path.attrib}
    uses = {name: [use for use in svg.iter("use") if use.get("href") == f"#{name}"] for name in markers}
    for number, (name, path) in enumerate(list(markers.items())):
        path.attrib["id"] = str(number)
        looks = [{k: v for k, v in use.attrib.items() if k not in ("href", "x", "y")} for use in uses[name]]
        if looks and all(look == looks[0] for look in looks):  # none is drawn outside the axes
            path.attrib |= looks[0]
            for use in uses[name]:
                use.attrib = {place: use.attrib[place] for place in ("x", "y")}
        if len(looks) == 1:
            _put_in_place(svg, markers.pop(name), uses[name][0])
    figure = hashlib.sha256(ElementTree.tostring(svg)).hexdigest()[:10]
    for name, path in markers.items():
        path.attrib["id"] = f"f{figure}-{path.attrib['id']}"
        for use in uses[name]:
            use.attrib["href"] = f"#{path.attrib['id']}"


def _put_in_place(svg: ElementTree.Element, marker: ElementTree.Element, use: ElementTree.Element) -> None:
    """Draw a marker where its only use is, and remove its definition."""
    place = {"transform": f"translate({use.attrib.pop('x')} {use.attrib.pop('y')})"}
    look = {name: value for name, value in marker.attrib.items() if name != "id"}
    use.tag, use.attrib = "path", {**look, **use.attrib, **place}
    for parent in list(svg.iter()):
        for definitions in parent.findall("defs"):
            if marker in definitions:
                definitions.remove(marker)
                if not len(definitions):
                    parent.remove(definitions)
