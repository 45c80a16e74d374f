"""Pages with hostile names in a real browser: no script of a name runs, and no request leaves the page.

The names call ``evil()`` and load from a server of this test. Content security policies are taken out first:
escaping alone must suffice.
"""

import csv
import random
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hostile_text import ATTACKS, EVIL
from scored_store import CLASSES, predictions, save
from writers import write_image

from prior_bench.cli import main
from prior_bench.escaping.page import environment
from prior_bench.report.html.page import build_page
from prior_bench.store.store import Store
from prior_bench.suites.suite import Suite

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.external,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]

TRAP = """<script>function evil() { document.title = "evil" + " ran"; } window.alert = evil;</script>"""


class Server:
    """A server on this machine that notes what is asked of it."""

    def __init__(self):
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


def visit(page: str, folder) -> str:
    """The page after its scripts have run, without its policy."""
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', TRAP, page)
    assert bare.count(TRAP) == 1
    place = folder / "page.html"
    place.write_text(bare, "utf-8")
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    options += ["--virtual-time-budget=3000", "--dump-dom", place.as_uri()]
    done = subprocess.run([CHROMIUM, *options], capture_output=True, text=True, timeout=120)
    assert "</html>" in done.stdout, done.stderr[-2000:]
    return done.stdout


def names(server: Server, seed: int) -> list[str]:
    """All attacks with the server's address, in an order of their own."""
    return [attack.replace(EVIL, server.host) for attack in random.Random(seed).sample(ATTACKS, len(ATTACKS))]


def assert_nothing_happened(shown: str, server: Server) -> None:
    assert "evil ran" not in shown
    assert server.asked == []
    assert shown.count("<script>") == 2, "the page's own, and the trap"


def test_a_report_of_hostile_names(server, tmp_path):
    some = iter(names(server, 0))
    store = Store(tmp_path / "store")
    metrics = dict.fromkeys(some.__next__() for _ in range(3))
    for number in range(6):
        made = save(store, f"r{number}", 1.0 + number, patients=20)
        record, found = made.record, predictions(1.0 + number, 0, 20)
        found["meta_classes"] = [next(some) for _ in CLASSES]
        record.spec["backbone"]["name"], record.spec["data"]["name"] = next(some), next(some)
        record.provenance |= {"command": next(some), "hardware": {"cpu": next(some)}, "finished": next(some)}
        record.provenance |= {"warnings": [next(some)], "backbone": {"path": next(some), next(some): 1}}
        record.metrics |= dict.fromkeys(metrics, 0.5)
        store.save(record, found)
    page = build_page(Suite(next(some), [], [], title=next(some)), store)
    assert_nothing_happened(visit(page, tmp_path), server)


def test_a_page_of_the_data_check(server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for n in range(6):
        write_image(tmp_path / f"img/{n}.png")
    some = [
        name for name in names(server, 1) if name.strip() == name and "\n" not in name and "\r" not in name
    ]
    columns = list(dict.fromkeys(some))[:20]
    rows = [
        [
            f"img/{n}.png",
            f"p{n} {some[n]}",
            "train test valid".split()[n % 3],
            some[10 + n],
            *[str(n % 2)] * 20,
        ]
        for n in range(6)
    ]
    with (tmp_path / "my.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["image", "patient_id", "split", "report", *columns], *rows])
    assert main(["data", "check", "my.csv", "--report", "check.html"]) in (0, 1)
    page = (tmp_path / "check.html").read_text("utf-8")
    assert "evil" in page
    assert_nothing_happened(visit(page, tmp_path), server)


@pytest.mark.parametrize(
    "attack", ["<script>evil()</script>", "<img src=x onerror=evil()>", "<img src=http://{}>"]
)
def test_an_attack_that_succeeds_would_be_seen(server, tmp_path, attack):
    text = attack.format(server.host + "/x.png")
    policy = '<meta http-equiv="Content-Security-Policy" content="">'
    shown = visit(f"<html><head>{policy}</head><body>{text}</body></html>", tmp_path)
    assert "evil ran" in shown or server.asked == ["/x.png"]


def test_templates_escape_in_elements_and_attributes(tmp_path):
    (tmp_path / "t.j2").write_text('<p title="{{ x }}">{{ x }}</p>{{ x|safe }}')
    shown = environment(tmp_path).get_template("t.j2").render(x='"<\x1b\u202e>')
    assert shown == '<p title="&#34;&lt;\\u001b\\u202e&gt;">&#34;&lt;\\u001b\\u202e&gt;</p>"<\\u001b\\u202e>'
