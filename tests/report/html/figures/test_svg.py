"""Figures as SVG: they follow the page, have ids of their own, and are the same on every run."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from prior_bench.report.html.figures.dot_plot import dot_plot
from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.row_look import MARKERS, PALETTE, colours_of, swatch
from prior_bench.report.html.figures.series import Series, over_seeds, spread_caption
from prior_bench.report.html.figures.svg import INK, new_axes, page_style, to_svg
from prior_bench.report.html.figures.unit_panel import Curve, unit_panel

COLOURS = colours_of(["A & B", "C"])


def lines(title: str = "Lines", **options) -> str:
    series = [Series("A & B", [1, 2, 3], [0.1, 0.2, 0.4], [0.1, 0.1, 0.1]), Series("C", [1, 2, 3], [3, 2, 1])]
    return line_plot(series, x_label="epoch", y_label="<loss>", title=title, colours=COLOURS, **options)


def dots(**options) -> str:
    series = [Series("A & B", [], [98.0, 50.0], [9.0, 5.0]), Series("C", [], [60.0, float("nan")])]
    return dot_plot(["x", "y"], series, x_label="AUROC", title="Dots", colours=COLOURS, **options)


def panel(share: float = 0.5) -> str:
    curve = Curve("C", [(0, 0), (0.5, 1), (1, 1)], [(0.25, 0.75, share)])
    words = {"title": "Panel", "description": "all", "x_label": "recall", "y_label": "precision"}
    return unit_panel([curve], **words, colours=COLOURS, diagonal=True)


FIGURES = {"lines": lines, "dots": dots, "panel": panel, "swatch": lambda: swatch("C", COLOURS)}


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_the_same_values_give_the_same_bytes_without_a_date(figure):
    first = figure()
    assert first == figure()
    assert not re.search(r"20\d\d-|matplotlib|<metadata|<style", first)


@pytest.mark.parametrize("figure", FIGURES.values(), ids=FIGURES.keys())
def test_text_and_axes_take_the_colour_and_font_of_the_page(figure):
    svg = figure()
    root = ElementTree.fromstring(svg)
    used = {e.get(name) for e in root.iter() for name in ("fill", "stroke")} - {None, "none"}
    assert used <= {"currentColor", *PALETTE} and INK not in svg and "font-family" not in svg
    assert all(e.get("fill") is None for e in root.iter("text")) and root.get("fill", "currentColor")


def test_ids_are_unique_among_figures_and_every_use_finds_its_marker():
    figures = [lines(), lines("Other lines"), dots()]
    ids = [re.findall(r'id="([^"]+)"', svg) for svg in figures]
    assert all(ids) and len({*ids[0], *ids[1], *ids[2]}) == sum(map(len, ids))
    for svg, own in zip(figures, ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', svg)) == set(own)


def test_a_figure_has_a_name_and_its_values_in_words():
    root = ElementTree.fromstring(lines())
    assert root.get("role") == "img" and [child.tag for child in root][:2] == ["title", "desc"]
    assert root.findtext("title") == "Lines"
    assert root.findtext("desc") == "A & B: 1 0.1, 2 0.2, 3 0.4; C: 1 3, 2 2, 3 1"
    texts = {text.text for text in root.iter("text")}
    assert {"epoch", "<loss>"} <= texts and "C" not in texts, "the legend is the page's"
    assert "max-width" in root.get("style") and 'aria-hidden="true"' in swatch("C", COLOURS)


def test_a_file_of_its_own_states_what_a_page_would():
    with page_style():
        figure, _ = new_axes((1, 1))
        root = ElementTree.fromstring(to_svg(figure, "t", "d", file=True))
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("font-family") == "sans-serif"
    assert root.get("style") is None


def test_nothing_invisible_is_kept_and_positions_are_short():
    svg = lines()
    root = ElementTree.fromstring(svg)
    assert not any(p.get("fill") == "none" and not p.get("stroke") for p in root.iter("path"))
    assert not re.search(r"\d\.\d\d", "".join(p.get("d") for p in root.iter("path"))) and len(svg) < 6000
    assert not list(root.iter("clipPath")) and "clip-path" not in svg


def test_every_row_of_many_looks_different():
    names = [f"row {i}" for i in range(30)]
    looks = [swatch(name, colours_of(names)) for name in names]
    assert len(set(looks)) == 30 and len(MARKERS) == len(PALETTE) + 1


def test_error_bars_end_where_the_quantity_ends():
    def bar(svg: str) -> tuple[float, float]:
        """The first row's first bar, left and right of its dot."""
        (dot, *_) = (float(x) for x in re.findall(r'<use x="([\d.]+)"', svg))
        ends = re.findall(rf'd="M([\d.]+) [\d.]+L([\d.]+) [^"]*" fill="none" stroke="{PALETTE[0]}"', svg)
        return dot - float(ends[0][0]), float(ends[0][1]) - dot

    left, right = bar(dots())
    assert left == pytest.approx(right, abs=0.3)
    cut = dots(limits=(0, 100))  # 98 with an error of 9
    left, right = bar(cut)
    assert right / left == pytest.approx(2 / 9, abs=0.01)
    assert cut.count("<use") == 2 and cut.count("translate(") == 1, "no dot for NaN"


def test_the_area_of_a_dot_grows_with_its_share():
    def width(share: float) -> float:
        return float(re.search(r'stroke-width="([\d.]+)"[^>]*stroke-linecap="round"', panel(share)).group(1))

    assert width(0.1) < width(0.5) < width(1.0)


def test_a_spread_is_only_announced_where_there_is_one():
    one, two = over_seeds("A", [0], [[1.0]]), over_seeds("B", [0], [[1.0, 3.0]])
    assert two.y == [2] and two.std == pytest.approx([2**0.5])
    assert spread_caption([one], "Bands") == "There is one seed, so no spread is shown."
    assert spread_caption([one, two], "Bands") == "Bands show ± one standard deviation over the seeds."


def test_settings_of_the_working_folder_do_not_count(monkeypatch):
    import matplotlib

    before = lines()
    for name, value in {"text.usetex": True, "font.size": 40, "axes.facecolor": "red"}.items():
        monkeypatch.setitem(matplotlib.rcParams, name, value)  # as a matplotlibrc there sets them
    assert lines() == before
    assert matplotlib.rcParams["text.usetex"] is True  # those of the caller's own figures stay
