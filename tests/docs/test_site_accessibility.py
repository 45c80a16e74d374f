"""axe-core finds no serious fault in the documentation site, by day and by night."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from axe import INSTALLED, violations

ROOT = Path(__file__).parent.parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.external,
    pytest.mark.skipif(
        not INSTALLED or find_spec("mkdocs") is None,
        reason="needs Chromium and pip install 'prior-bench[docs]' (make docs)",
    ),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    return folder


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", ["index", "start", "reference/metrics", "reference/python", "gallery"])
def test_a_page_has_no_serious_fault(page, dark, site):
    assert violations(site / f"{page}.html", dark=dark) == []


def test_a_serious_fault_would_be_found(tmp_path):
    page = tmp_path / "pale.html"
    page.write_text(
        "<!DOCTYPE html><html lang='en'><title>t</title><body><main><h1>A</h1>"
        "<p style='color:#ddd;background:#fff'>pale</p><img src='x.png'></main></body></html>"
    )
    found = violations(page)
    assert any("color-contrast" in one for one in found) and any("image-alt" in one for one in found)
