"""How to install it elsewhere: what the container, the editor and the page name exists."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"


def planned(*options: str) -> str:
    """Return what make would do in an empty checkout."""
    left_out = ("CPU", "TORCH_INDEX", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
    known = {name: value for name, value in os.environ.items() if name not in left_out}
    command = ["make", "--dry-run", "--always-make", ".venv/.installed", *options]
    return subprocess.run(command, cwd=ROOT, env=known, check=True, capture_output=True, text=True).stdout


def test_cpu_wheels_are_asked_for_by_one_switch():
    assert f"--extra-index-url {CPU_INDEX} -e" in planned("CPU=1")
    assert "--extra-index-url file:///wheels -e" in planned("TORCH_INDEX=file:///wheels")
    assert "--extra-index-url" not in planned()


def test_the_image_is_made_of_files_that_are_sent_to_it():
    text = (ROOT / "Dockerfile").read_text()
    assert f"ARG TORCH_INDEX={CPU_INDEX}" in text and "COPY . ." in text
    left_out = (ROOT / ".dockerignore").read_text().split()
    for needed in ("constraints.txt", "pyproject.toml", "prior_bench", "tasks", "baselines", "configs"):
        assert (ROOT / needed).exists() and needed not in left_out
    base = re.search(r"^FROM python:(\d\.\d+)-slim", text, re.M)
    assert base and (3, 11) <= tuple(map(int, base[1].split("."))) < (3, 14)
    assert text.index("\nUSER 1000") < text.index("\nENTRYPOINT"), "it does not run as root"


def test_what_is_ignored_by_git_is_not_sent_to_the_image():
    left_out = (ROOT / ".dockerignore").read_text()
    for place in (".venv", "data", "cache", "results/*", "site", "build", "dist"):
        assert re.search(rf"^{re.escape(place)}$", left_out, re.M), place


def test_the_editors_container_calls_make():
    stated = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    assert stated["postCreateCommand"].endswith("&& make .venv/.installed CPU=1")


def test_libraries_of_the_system_are_named_wherever_it_is_installed():
    places = ("Dockerfile", ".devcontainer/devcontainer.json", "docs/install.md", "prior_bench/doctor.py")
    for place in places:
        assert "install -y --no-install-recommends libgl1 libglib2.0-0" in (ROOT / place).read_text(), place


def test_the_page_names_extras_that_exist():
    page = (ROOT / "docs/install.md").read_text()
    rows = re.findall(r"^\| (`.*?) \|", page, re.M)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(EXTRAS)


@pytest.mark.external
def test_hadolint_finds_nothing():
    program = shutil.which("hadolint") or ROOT / ".venv/bin/hadolint"
    if not Path(program).exists():
        pytest.skip("hadolint is not installed: make hadolint")
    found = subprocess.run([program, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
