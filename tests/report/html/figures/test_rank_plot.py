"""The critical-difference diagram."""

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from prior_bench.report.html.figures.rank_plot import rank_plot
from prior_bench.statistics.ranks import AverageRanks


@pytest.mark.parametrize("difference, bars", [(0.9, 1), (9.0, 1), (math.nan, 0)])
def test_the_diagram_is_well_formed_and_shows_everything(difference, bars):
    ranks = AverageRanks(
        ("A & B", "C", "a label that is long, as labels are"), (1.2, 1.9, 2.9), 10, difference, 0.004
    )
    root = ElementTree.fromstring(rank_plot(ranks, "Diagram", "in words"))
    texts = [text.text for text in root.iter("text")]
    assert {"A & B (1.20)", "C (1.90)", "a label that is long, as labels are (2.90)"} <= set(texts)
    assert len([e for e in root.iter("path") if e.get("stroke-width") == "3"]) == bars
    assert any("longer than the axis" in text for text in texts) == (difference == 9.0)
    assert root.findtext("desc") == "in words"


def test_labels_of_any_length_lie_within_the_figure():
    ranks = AverageRanks(("left side " * 8, "right side " * 8), (1.0, 2.0), 5, 0.5, math.nan)
    root = ElementTree.fromstring(rank_plot(ranks, "t", "d"))
    left, _, width, _ = map(float, root.get("viewBox").split())
    for text in root.iter("text"):
        x, length = float(text.get("x")), 4 * len(text.text.strip())
        start = x - length if text.get("text-anchor") == "end" else x
        if len(text.text) > 20:
            assert left <= start and start + length <= left + width, text.text


def test_a_bar_spans_the_rows_of_its_group():
    ranks = AverageRanks(("A", "B", "C"), (1.0, 1.5, 3.0), 10, 0.6, 0.01)
    svg = rank_plot(ranks, "t", "d")
    (bar,) = re.findall(r'd="M([\d.]+) [\d.]+L([\d.]+) [\d.]+" [^>]*stroke-width="3"', svg)
    assert float(bar[1]) - float(bar[0]) == pytest.approx(340 * 0.25 + 4, abs=0.2)
