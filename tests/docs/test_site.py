"""The documentation site: its pages, links, and the reference that is written from the code."""

import re
import subprocess
import sys
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent


def hook():
    spec = spec_from_file_location("site_pages", ROOT / ".ci/site_pages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = hook()


class Loader(yaml.SafeLoader):
    """YAML without the tags of MkDocs' own."""


def in_navigation(entries) -> list[str]:
    if isinstance(entries, str):
        return [entries]
    if isinstance(entries, dict):
        return [page for entry in entries.values() for page in in_navigation(entry)]
    return [page for entry in entries for page in in_navigation(entry)]


NAVIGATION = in_navigation(yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)["nav"])
WRITTEN = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    return dict(PAGES.generated())


def test_every_page_is_in_the_navigation_once(generated):
    assert sorted(NAVIGATION) == sorted({*WRITTEN, *generated})


def test_the_reference_has_every_verb_data_set_model_metric_and_protocol(generated):
    from prior_bench.cli import VERBS
    from prior_bench.models.cards import card_names
    from prior_bench.registry import TASKS
    from prior_bench.suites.protocols import names

    headings = {page: set(re.findall(r"^##+ (.+)$", text, re.M)) for page, text in generated.items()}
    assert set(VERBS) | {"data check"} <= headings["reference/commands.md"]
    assert set(card_names()) <= headings["reference/models.md"]
    assert {"mimic_cxr", "rsna_pneumonia", "csv"} <= headings["reference/data_sets.md"]
    assert {name for name in names() if (ROOT / f"configs/protocols/{name}.py").is_file()} <= headings[
        "reference/protocols.md"
    ]
    for task in TASKS.names():
        for metric in getattr(TASKS.get(task), "metrics", {}):
            assert f"| `{metric}` |" in generated["reference/metrics.md"]


def test_pages_written_from_the_code_name_no_folder_of_this_machine(generated):
    for page, text in generated.items():
        assert str(ROOT) not in text and str(Path.home()) not in text, page


@pytest.mark.parametrize(
    "page, text, wanted",
    [
        ("index.md", "[a](docs/start.md#one)", "[a](start.md#one)"),
        ("index.md", "![a](docs/pictures/report.png)", "![a](pictures/report.png)"),
        ("index.md", "[LICENSE](LICENSE)", "`LICENSE`"),
        ("index.md", "see `docs/start.md`", "see [`docs/start.md`](start.md)"),
        ("protocols/mgca.md", "[s](../start.md)", "[s](../start.md)"),
        ("protocols/mgca.md", "`docs/start.md`", "[`docs/start.md`](../start.md)"),
        ("protocols/mgca.md", "[sample](../../configs/sample.py)", "sample (`../../configs/sample.py`)"),
        ("project/security.md", "[d](docs/start.md)", "[d](../start.md)"),
        ("start.md", "[SECURITY.md](../SECURITY.md)", "[SECURITY.md](project/security.md)"),
        ("start.md", "```\n`docs/start.md`\n```", "```\n`docs/start.md`\n```"),
        ("start.md", "[x](https://example.org/a.md) [y](#part)", "[x](https://example.org/a.md) [y](#part)"),
    ],
)  # fmt: skip
def test_links_lead_to_pages_of_the_site(page, text, wanted):
    known = {"start.md", "protocols/mgca.md", "project/security.md", "pictures/report.png"}
    assert PAGES.linked(text, page, known) == wanted


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mkdocs") is None, reason="needs pip install 'prior-bench[docs]' (make docs)")
def test_the_site_builds_without_a_warning(tmp_path):
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "", "NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert "evaluate" in (tmp_path / "site/reference/python.html").read_text()
    head = (tmp_path / "site/index.html").read_text().split("<body", 1)[0]
    assert re.findall(r'(?:src|href)="https?:[^"]*"', head) == [], "nothing is loaded from elsewhere"
