"""The workflow's own script: it checks the bundles that a pull request adds or changes, and no others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from bundled_store import bundled, edited, keyed, members_of, record_member, resealed

WORKFLOW = Path(__file__).parents[2] / ".github/workflows/bundles.yml"
STEPS = yaml.safe_load(WORKFLOW.read_text())["jobs"]["check"]["steps"]

pytestmark = pytest.mark.slow


@pytest.fixture
def repository(tmp_path):
    """A repository with an unsound bundle in its base, which no pull request has changed."""
    place = tmp_path / "theirs"
    (place / "leaderboard/bundles").mkdir(parents=True)
    (place / "leaderboard/bundles/old.zip").write_bytes(b"nothing")
    git(place, "init", "-q")
    commit(place)
    return place


def git(place, *arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@b"]
    run = subprocess.run(["git", *who, *arguments], cwd=place, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def commit(place):
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "x")


def script(place, tmp_path):
    base = git(place, "rev-parse", "HEAD")
    commit(place)
    shim = tmp_path / "bin/prior-bench"
    shim.parent.mkdir()
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m prior_bench "$@"\n')
    shim.chmod(0o755)
    environment = {
        **os.environ,
        "BASE": base,
        "RUNNER_TEMP": str(tmp_path),
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        ["bash", "-e", "-c", STEPS[-1]["run"]], cwd=place, env=environment, capture_output=True, text=True
    )


def test_a_sound_bundle_passes_whatever_its_name(repository, tmp_path):
    bundled(
        keyed(tmp_path / "a", {"A": 1.0}, seeds=1),
        repository / "leaderboard/bundles/-a $(x) b.zip",
        title="t",
    )
    (repository / "README.md").write_text("other")
    done = script(repository, tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("sound: leaderboard/bundles/-a $(x) b.zip"), (
        done.stderr
    )


def test_a_forged_bundle_does_not(repository, tmp_path):
    members = members_of(bundled(keyed(tmp_path / "a", {"A": 1.0}, seeds=1), tmp_path / "a.zip"))
    name = record_member(members)
    forged = edited(members[name], lambda record: record["metrics"].update(auroc=0.99))
    resealed(repository / "leaderboard/bundles/a.zip", {**members, name: forged})
    done = script(repository, tmp_path)
    assert done.returncode != 0 and "metrics.auroc: is 0.99" in done.stderr


def test_the_check_is_that_of_the_target_branch_and_may_write_nothing():
    checkouts = [step["with"] for step in STEPS if "checkout" in step.get("uses", "")]
    assert (
        checkouts[0]["ref"] == "${{ github.event.pull_request.base.sha }}" and checkouts[0]["path"] == "ours"
    )
    assert all(one["persist-credentials"] is False for one in checkouts)
    assert any(step.get("run", "").endswith("./ours") for step in STEPS)
    stated = yaml.safe_load(WORKFLOW.read_text())
    assert stated["permissions"] == {"contents": "read"} and "pull_request_target" not in WORKFLOW.read_text()
