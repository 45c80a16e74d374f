"""The files that a project on a public site has: they are there, and what they name exists."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_the_licence_is_apaches_and_the_project_says_so():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "Copyright 2026 the prior-bench authors" in text
    assert PROJECT["license"] == "Apache-2.0" and PROJECT["license-files"] == ["LICENSE", "NOTICE"]


def test_the_citation_has_the_projects_version_and_licence():
    stated = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (stated["version"], stated["license"]) == (PROJECT["version"], PROJECT["license"])


def test_the_notice_names_folders_that_exist():
    for place in re.findall(r"^((?:results|tests|configs)/\S+)$", (ROOT / "NOTICE").read_text(), re.M):
        assert list(ROOT.glob(place)), place


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text("utf-8"))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_files_that_contributing_names_exist():
    named = re.findall(
        r"`((?:prior_bench|configs|tests|results|docs|\.ci|\.github)/[\w./]*)`", contributing()
    )
    assert len(named) > 5 and [name for name in named if not (ROOT / name).exists()] == []


def contributing() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_targets_that_exist_on_pythons_that_are_supported(path):
    text = path.read_text()
    assert yaml.safe_load(text)["jobs"]
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"run: make ([\w-]+)", text)) <= targets
    for versions in re.findall(r"python: \[(.*?)\]", text):
        found = set(re.findall(r"\d\.\d+", versions))
        stated = {line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if ":: 3." in line}
        assert found == stated


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda p: p.stem
)
def test_issue_forms_are_forms(path):
    form = yaml.safe_load(path.read_text())
    assert form["name"] and form["description"]
    assert all(part["type"] and part["attributes"]["label"] for part in form["body"])


def test_the_hashes_are_of_the_constraints_and_name_no_address():
    text = (ROOT / "constraints-hashes.txt").read_text()
    stated = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "constraints.txt").read_text(), re.M)
    plain = {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in stated}
    hashed = re.findall(r"^(\S+)==(\S+) ((?:\\\n +--hash=sha256:[0-9a-f]{64} ?)+)$", text, re.M)
    assert {(name, version) for name, version, _ in hashed} == plain and len(plain) > 100
    assert "://" not in text
