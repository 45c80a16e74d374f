"""The page in a real browser: it opens without a complaint, sorts, and fits a phone."""

import json
import re
import shutil
import subprocess

import pytest
from axe import INSTALLED, violations
from scored_store import scored
from test_html import drawn

from prior_bench.report.html.page import build_page
from prior_bench.suites.suite import Suite

__all__ = ["drawn"]  # a fixture

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.external,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

VISIT = """<script>
const table = document.querySelector("table.comparison");
const order = () => [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim());
const headings = [...table.querySelectorAll("th")].filter((heading) => heading.querySelector("button"));
const press = (heading) => {
  const button = heading.querySelector("button");
  button.focus();
  const focused = document.activeElement === button;
  button.click();
  return { order: order(), sorted: heading.getAttribute("aria-sort"), focused };
};
for (const folded of document.querySelectorAll("details")) folded.open = true;
const dots = () => [...document.querySelectorAll(".explorer .mark-symbol path")];
const figure = () => dots().map((dot) => dot.ariaLabel);
const change = (choice, event) => { choice.dispatchEvent(new Event(event, { bubbles: true })); };
const explored = async () => {
  await new Promise((done) => setTimeout(done, 1500));
  const [choice, first] = document.querySelectorAll(".explorer select, .explorer input");
  const all = figure();
  first.checked = false;
  change(first, "change");
  await new Promise((done) => setTimeout(done, 300));
  return { all, fewer: figure(), offered: choice.options.length };
};
const told = {
  before: order(),
  byNumber: press(headings[1]),
  again: press(headings[1]),
  byName: press(headings[0]),
  marked: document.querySelectorAll("table.comparison [aria-sort]").length,
  unsortable: document.querySelectorAll("table.sortable th[scope=col]:not(:has(button))").length,
  wider: document.documentElement.scrollWidth - innerWidth,
  width: innerWidth,
};
explored().then((explorer) => parent.postMessage(JSON.stringify({ ...told, explorer }), "*"));
</script>"""

FRAME = """<!DOCTYPE html>
<pre id="told"></pre>
<script>onmessage = (event) => document.getElementById("told").append(event.data);</script>
<iframe src="page.html" style="width:{width}px; height:900px; border:0"></iframe>"""
"""Holds the page, because a window of Chromium's is never narrower than 500 pixels."""


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    store = scored(tmp_path_factory.mktemp("scored"), {"B": 1.0, "A": 0.2, "C": 2.0}, seeds=1)
    return build_page(Suite("scored", [], [], title="Scored"), store)


def visit(page: str, folder, width: int = 1200) -> tuple[dict, list[str]]:
    """What the visiting script told, and the lines of the browser's console."""
    (folder / "page.html").write_text(page.replace("</body>", f"{VISIT}</body>"), "utf-8")
    place = folder / "frame.html"
    place.write_text(FRAME.format(width=width), "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,1000"]
    options += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    options += ["--virtual-time-budget=8000", "--dump-dom", place.as_uri()]
    run = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found, run.stderr[-2000:]
    return json.loads(found.group(1)), [line for line in run.stderr.splitlines() if "CONSOLE" in line]


def test_a_figure_shows_the_rows_that_are_chosen(page, tmp_path):
    told, _ = visit(page, tmp_path)
    assert [len(told["explorer"][which]) for which in ("all", "fewer")] == [3, 2]
    assert told["explorer"]["offered"] == 1
    (hidden,) = set(told["explorer"]["all"]) - set(told["explorer"]["fewer"])
    assert "Backbone: A" in hidden and "Value: " in hidden


def test_headings_sort_the_table_and_say_so(page, tmp_path):
    told, console = visit(page, tmp_path)
    assert console == []
    assert told["before"][:3] == ["A", "B", "C"]
    assert told["byNumber"] == {
        "order": [*"CBA", *told["before"][3:]],
        "sorted": "descending",
        "focused": True,
    }
    assert told["again"]["order"][:3] == ["A", "B", "C"] and told["again"]["sorted"] == "ascending"
    assert told["byName"]["order"][:3] == ["A", "B", "C"] and told["byName"]["sorted"] == "ascending"
    assert told["marked"] == 1 and told["unsortable"] == 0


def test_a_phone_need_not_be_moved_sideways(page, tmp_path):
    told, console = visit(page, tmp_path, width=390)
    assert console == [] and told["width"] == 390 and told["wider"] <= 0


@pytest.mark.parametrize("width", [390, 1280])
def test_pictures_and_galleries_open_without_a_complaint_and_fit(drawn, tmp_path, width):
    told, console = visit(build_page(*drawn), tmp_path, width)
    assert console == [] and told["wider"] <= 0 and told["unsortable"] == 0


def test_a_complaint_of_the_console_would_be_seen(page, tmp_path):
    _, console = visit(
        page.replace("<script>", "<script>console.error('a complaint');</script><script>", 1), tmp_path
    )
    assert len(console) == 1 and "a complaint" in console[0]


@pytest.mark.skipif(not INSTALLED, reason="needs pip install 'prior-bench[docs]' (make docs)")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_no_serious_fault(page, dark, tmp_path):
    (tmp_path / "report.html").write_text(page, "utf-8")
    assert violations(tmp_path / "report.html", dark=dark) == []
