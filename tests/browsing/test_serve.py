"""Stored results in a browser: the numbers of the records, and nothing that a stranger could reach or run."""

import json
import os
import re
import threading
from html import unescape
from urllib.request import urlopen

import pytest
from axe import INSTALLED, violations
from fixed_store import fixed_stores
from scored_store import save, scored
from werkzeug.test import Client

from prior_bench import logs
from prior_bench.browsing.server import ResultsSite, bound_server
from prior_bench.browsing.stores import store_names
from prior_bench.errors import BenchError
from prior_bench.report.comparing.compare import compare_runs
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.runs.run_text import intervals

HOSTILE = 'x<script>alert(1)</script>"\u202e'


@pytest.fixture
def root(tmp_path):
    fixed_stores(tmp_path)
    scored(tmp_path / "scored", {"A": 0.2, "B": 2.0}, seeds=1)
    return tmp_path


@pytest.fixture
def browser(root) -> Client:
    return Client(ResultsSite(root))


def cells(text: str) -> list[list[str]]:
    """The texts of all cells of a page, by row of its tables."""
    rows = re.findall(r"<tr>(.*?)</tr>", text, re.S)
    return [
        [unescape(re.sub(r"<.*?>", "", cell)).strip() for cell in re.findall(r"<t[hd].*?</t[hd]>", row, re.S)]
        for row in rows
    ]


def test_stores_are_counted(browser, root):
    rows = cells(browser.get("/").text)
    assert [row[0] for row in rows[1:]] == store_names(root) == ["scored", "tiny"]
    states = [run.record.status if run.record else "" for run in reported_runs(fixed_stores(root)[:1])]
    assert rows[2][1:4] == [str(states.count(state)) for state in ("done", "failed", "")]
    assert "failed" in states and "" in states, "or nothing is told apart"


def test_runs_are_listed_with_their_values_and_states(browser):
    rows = {row[0]: row[1:] for row in cells(browser.get("/stores/tiny/").text)}
    run = "ConVIRT · classification · chexpert (synthetic) · demo/linear_probe · 100 % · seed 1"
    assert rows[run][2:] == ["done", "auroc", "0.740", "2.5"]
    failed = [row for row in rows.values() if row[2] == "failed"]
    assert failed and all(row[4] == "–" for row in failed)


def test_a_run_shows_its_metrics_and_on_demand_their_intervals(browser, root):
    run = next(run for run in reported_runs([scored(root / "scored", {})]) if run.key == "b-0")
    rows = {row[0]: row for row in cells(browser.get("/stores/scored/runs/b-0").text)}
    assert rows["auroc"][1] == f"{run.record.metrics['auroc']:.3f}"
    low, high = intervals(run.record, run.store, 1000)["auroc"]
    rows = {row[0]: row for row in cells(browser.get("/stores/scored/runs/b-0?intervals=1").text)}
    assert rows["auroc"][2] == f"{low:.3f} to {high:.3f}"
    assert "demo/linear_probe" in browser.get("/stores/scored/runs/b-0").text


def test_a_failed_run_shows_its_error_and_the_end_of_its_traceback(browser, root):
    run = next(
        run for run in reported_runs(fixed_stores(root)) if run.record and run.record.status == "failed"
    )
    place = run.store.runs / run.key / "traceback.txt"
    place.write_text("first" + "x" * 2**20 + "last")
    text = browser.get(f"/stores/tiny/runs/{run.key}").text
    assert run.record.error in unescape(text) and "last</pre>" in text and ">first" not in text
    place.unlink()
    place.symlink_to("/etc/hostname")
    assert "<pre>" not in browser.get(f"/stores/tiny/runs/{run.key}").text


def test_two_runs_are_compared_as_the_command_compares_them(browser, root):
    one, two = (run for run in reported_runs([scored(root / "scored", {})]) if run.spec["seed"] == 0)
    text = browser.get(f"/stores/scored/compare?first={one.key}&second={two.key}").text
    rows = {row[0]: row for row in cells(text)}
    for line in compare_runs(one, two):
        assert rows[line.what][1:4] == [
            f"{line.first:.3f}",
            f"{line.second:.3f}",
            f"{line.second - line.first:+.3f}",
        ]
        assert rows[line.what][6] == line.verdict
    assert "backbone.name: A, B" in unescape(text)


def test_runs_that_cannot_be_compared_are_refused_in_words(browser):
    assert browser.get("/stores/scored/compare?first=a-0&second=a-0").status_code == 404
    assert "Choose two different runs" in browser.get("/stores/scored/compare").text
    keys = re.findall(r'href="runs/(.*?)"', browser.get("/stores/tiny/").text)
    other = next(key for key in keys if key.startswith("prior") and "0.1" in key)
    answer = browser.get(f"/stores/tiny/compare?first={keys[0]}&second={other}")
    assert answer.status_code == 404 and "failed" in answer.text


@pytest.mark.parametrize(
    "place",
    ["/nothing", "/stores/none/", "/stores/scored/runs/none", "/stores/..%2fscored/", "/stores/../scored/"]
    + ["/stores/scored/report", "/stores/scored/runs/..%2f..%2frecord", "/stores/linked/"],
)
def test_what_is_not_there_is_not_found(browser, root, place):
    (root / "linked").symlink_to(root / "scored")
    assert browser.get(place).status_code == 404


def test_a_report_is_shown_in_a_sandbox_and_not_through_a_link(browser, root):
    place = root / "scored/report.html"
    place.write_text("<h1>theirs</h1>")
    answer = browser.get("/stores/scored/report")
    assert answer.text == "<h1>theirs</h1>"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts; default-src 'none'")
    place.unlink()
    os.symlink("/etc/hostname", place)
    assert browser.get("/stores/scored/report").status_code == 404


def test_other_pages_in_the_browser_reach_nothing(browser):
    """A foreign name that is made to point to this machine, and requests that would change something."""
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert browser.get("/", headers={"Host": "localhost:8000"}).status_code == 200
    for method in ("post", "put", "delete"):
        assert getattr(browser, method)("/stores/scored/").status_code == 405
    policy = browser.get("/").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'") and "script-src 'sha256-" in policy
    assert browser.get("/").headers["X-Content-Type-Options"] == "nosniff"


def test_names_in_records_are_shown_as_text(browser, root):
    save(scored(root / "scored", {}), HOSTILE, 1.0)
    for place in ("/stores/scored/", "/stores/scored/runs/x-script-alert-1-script-0"):
        answer = browser.get(place)
        assert answer.status_code == 200
        assert "<script>alert" not in answer.text and "\u202e" not in answer.text
        assert "&lt;script&gt;alert(1)" in answer.text


def test_a_page_that_cannot_be_made_does_not_end_the_server(browser, monkeypatch, caplog):
    monkeypatch.setattr("prior_bench.browsing.stores.run_lines", lambda store: 1 / 0)
    answer = browser.get("/stores/scored/")
    assert answer.status_code == 500 and "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in caplog.text and str(logs.folder()) in answer.text
    assert browser.get("/").status_code == 200


def test_it_listens_to_this_machine_alone(root):
    with bound_server(root, 0) as server:
        assert server.server_address[0] == "127.0.0.1"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with urlopen(f"http://127.0.0.1:{server.port}/") as answer:
            assert answer.status == 200 and b"scored" in answer.read()
        with pytest.raises(BenchError, match="cannot listen") as caught:
            bound_server(root, server.port)
        assert caught.value.fix == "another --port, or --port 0 for a free one"
        server.shutdown()
        thread.join()


def test_a_root_without_stores_says_what_makes_one(tmp_path):
    assert "prior-bench run demo" in Client(ResultsSite(tmp_path)).get("/").text


@pytest.mark.slow
@pytest.mark.external
@pytest.mark.skipif(not INSTALLED, reason="Chromium or axe-core is not installed")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_core_finds_nothing_serious(browser, tmp_path, dark):
    for place in (
        "",
        *(f"stores/scored/{part}" for part in ("", "runs/b-0", "compare?first=a-0&second=b-0")),
    ):
        page = tmp_path / "page.html"
        page.write_text(browser.get(f"/{place}").text)
        assert violations(page, dark=dark) == []


def test_a_history_whose_axis_cannot_be_drawn_costs_its_figure_alone(browser, root):
    place = root / "scored/runs/b-0/record.json"
    record = json.loads(place.read_text())
    record["history"] = [{"epoch": 1e308, "loss": 1}, {"epoch": -1e308, "loss": 2}]
    place.write_text(json.dumps(record))
    page = browser.get("/stores/scored/runs/b-0")
    assert page.status_code == 200 and "training curves" in page.text and "UnboundLocalError" in page.text
