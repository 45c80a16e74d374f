"""The site in Chromium: axe-core finds nothing serious, by day and by night, on a phone and on a screen."""

import json
import os
import re
import subprocess

import pytest
from axe import CHROMIUM, INSTALLED, violations
from bundled_store import bundled, keyed

import prior_bench as pb

pytestmark = [
    pytest.mark.slow,
    pytest.mark.external,
    pytest.mark.skipif(not INSTALLED, reason="needs Chromium and pip install 'prior-bench[docs]'"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("board")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "PRIOR_BENCH_CACHE", str(place / "cache"))
        (place / "bundles").mkdir()
        bundled(keyed(place / "a", {"A": 1.0, "B": 4.0}), place / "bundles/a.zip", title="One")
        bundled(keyed(place / "b", {"A": 1.5}), place / "bundles/b.zip", title="Two", predictions=False)
        (place / "bundles/c.zip").write_bytes(b"nothing")
        pb.build_leaderboard(place / "bundles", place / "site")
    return place / "site"


@pytest.mark.parametrize("width", [500, 1280])  # a window of Chromium's is never narrower
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("kind", ["index.html", "protocols/*.html", "rows/*.html"])
def test_a_page_has_no_serious_fault(site, kind, dark, width):
    assert violations(sorted(site.glob(kind))[0], dark=dark, width=width) == []


VISIT = """<script>
for (const folded of document.querySelectorAll("details")) folded.open = true;
const table = document.querySelector("table.sortable");
const button = table.querySelectorAll("th button")[1];
button.focus();
const focused = document.activeElement === button;
button.click();
parent.postMessage(JSON.stringify({
  order: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim()),
  sorted: table.querySelectorAll("th")[1].getAttribute("aria-sort"),
  focused,
  wider: document.documentElement.scrollWidth - innerWidth,
  width: innerWidth,
}), "*");
</script>"""
FRAME = """<!DOCTYPE html>
<pre id="told"></pre>
<script>onmessage = (event) => document.getElementById("told").append(event.data);</script>
<iframe src="page.html" style="width:{width}px; height:900px; border:0"></iframe>"""
"""Holds the page, because a window of Chromium's is never narrower than 500 pixels."""


def visit(page, folder, width):
    """What the visiting script told, and the lines of the browser's console."""
    text = page.read_text("utf-8").replace("</body>", f"{VISIT}</body>")
    (folder / "page.html").write_text(text, "utf-8")
    (folder / "frame.html").write_text(FRAME.format(width=width), "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1300,1000"]
    options += [f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr"]
    options += ["--virtual-time-budget=3000", "--dump-dom", (folder / "frame.html").as_uri()]
    run = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="told">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found and found.group(1), run.stderr[-2000:]
    return json.loads(found.group(1)), [line for line in run.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("kind", ["index.html", "protocols/*.html", "rows/*.html"])
def test_a_page_fits_and_complains_of_nothing(site, tmp_path, kind, width):
    told, console = visit(sorted(site.glob(kind))[0], tmp_path, width)
    assert console == [] and told["width"] == width and told["wider"] <= 0


def test_a_table_is_sorted_by_keyboard_and_pages_say_so(site, tmp_path):
    told, _ = visit(next(site.glob("protocols/*.html")), tmp_path, 1280)
    assert told["focused"] and told["sorted"] == "descending"
    assert told["order"] == ["B", "A (Two)", "A (One)"]
