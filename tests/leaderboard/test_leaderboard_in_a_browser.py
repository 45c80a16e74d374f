"""The site in Chromium: axe-core finds nothing serious, by day and by night, on a phone and on a screen."""

import os

import pytest
from axe import INSTALLED, violations
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
