"""Names in bundles are shown as they are written: in pages, CSV, JSON and on the terminal, none acts."""

import json
import random
import re
import sys
from pathlib import Path

import pytest
from bundled_store import bundled, save_keyed

import prior_bench as pb
from prior_bench.cli import main
from prior_bench.store.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "fuzz"))

from hostile_text import ATTACKS, hostile, wrong_in_csv, wrong_in_page, wrong_on_terminal

MARKUP = '"><img src=x onerror=evil()>'


OURS = re.compile(
    r' href="(\.\./)?(index\.html|leaderboard\.(csv|json)|(protocols|rows)/[a-z0-9-]+\.html'
    r'|model-index/[a-z0-9-]+\.json)"'
)
"""Links between files of the site."""


def wrong_in(page: Path) -> str:
    """What of a page acts, besides links to other files of the site."""
    return wrong_in_page(OURS.sub(' href="#x"', page.read_text("utf-8")))


def shown(text: str) -> bool:
    """Whether a bundle may hold a text: it names no path."""
    from prior_bench.leaderboard.shareable import without_paths

    return without_paths(text) == text and 0 < len(text) <= 200 and "\ud800" not in text


def site_of(tmp_path, names, title, data, protocol):
    store = Store(tmp_path / "mine")
    for number, name in enumerate(names):
        where = {"name": data, "type": "chexpert", "root": "sample:chexpert"}
        leak = {"leakage": [name], "versions": {"prior-bench": name}, "finished": "2026-11-01T00:00:00+00:00"}
        save_keyed(store, name, 1.0 + number, data=where, protocol={"name": protocol}, provenance=leak)
    (tmp_path / "bundles").mkdir()
    bundled(store, tmp_path / "bundles/a.zip", title=title, contact=title)
    pb.build_leaderboard(tmp_path / "bundles", tmp_path / "site", title=title)
    return tmp_path / "site"


@pytest.mark.parametrize("seed", range(4))
def test_hostile_names_do_nothing(tmp_path, seed, capsys):
    luck = random.Random(seed)
    fit = [one for one in (hostile(luck) for _ in range(60)) if shown(one)]
    title, data, protocol, *names = fit[:6]
    site = site_of(tmp_path, list(dict.fromkeys(names)), title, data, protocol)
    for page in site.rglob("*.html"):
        assert not wrong_in(page), page.name
    assert not wrong_in_csv((site / "leaderboard.csv").read_text("utf-8"))
    for file in site.rglob("*.json"):
        text = file.read_text("utf-8")
        assert json.loads(text) and not wrong_on_terminal(text), file.name
    assert all(path.name.isascii() and len(path.name) < 90 for path in site.rglob("*"))
    assert main(["leaderboard", "check", str(tmp_path / "bundles/a.zip")]) == 0
    assert not wrong_on_terminal(capsys.readouterr().out)


def test_each_attack_that_a_name_can_be_is_harmless(tmp_path):
    names = [f"a{one}" for one in ATTACKS if shown(f"a{one}")] + [one for one in ATTACKS if shown(one)][:10]
    assert len(names) > 40
    site = site_of(tmp_path, list(dict.fromkeys(names)), MARKUP, MARKUP, MARKUP)
    for page in site.rglob("*.html"):
        assert not wrong_in(page), page.name
    assert "<img src=x onerror" not in "".join(page.read_text("utf-8") for page in site.rglob("*.html"))
    assert not wrong_in_csv((site / "leaderboard.csv").read_text("utf-8"))
