"""``table`` with published numbers, ``show``, ``compare`` and ``results`` from the command line."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_suite import suite, verb

from prior_bench.errors import BenchError

__all__ = ["suite"]  # a fixture


@pytest.fixture
def run_suite(suite, capsys):
    verb("run", suite, "--device", "cpu")
    capsys.readouterr()
    return suite


def test_published_table_needs_no_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert verb("table", "mgca_linear", "--only-published", "--format", "csv") == 0
    lines = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert len(lines) == 81
    assert next(line["mean"] for line in lines if line["backbone"] == "MGCA") == "87.6"
    assert list(tmp_path.iterdir()) == []


def test_ours_beside_published_without_any_run(parts, capsys):
    assert verb("table", "mgca_linear", "--with-published") == 0
    out = capsys.readouterr().out
    assert "CheXpert (AUC), 1 %: difference" in out and "not run" in out


def test_who_reads_the_first_line_only_is_not_told_of_a_broken_pipe():
    program = [sys.executable, "-m", "prior_bench", "table", "mgca_linear", "--only-published"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()  # before anything was written
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_file_of_a_suite_in_place_of_a_table_or_of_a_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("name = 'mine'\nbackbones = []\nevaluations = []\n")
    with pytest.raises(
        BenchError, match="mine.py: is a suite, not a table\n  fix: .*prior-bench run mine.py"
    ):
        verb("table", "mine.py")
    with pytest.raises(BenchError, match="no store 'mine.py'\n  fix: give the name of the suite"):
        verb("results", "bundle", "mine.py", "--title", "Mine")


def test_leaderboard_and_ranks(run_suite, tmp_path, capsys):
    assert verb("table", "--leaderboard", "--no-test", "--ranks", "ranks.svg") == 0
    out, err = capsys.readouterr()
    assert out.startswith("**Leaderboard**") and "Rank: mean" in out
    assert err.startswith("Mean ranks over 3 columns") and err.endswith("\nranks.svg\n")
    assert (tmp_path / "ranks.svg").read_text().startswith("<svg")
    for arguments in (["shown.py", "--leaderboard"], []):
        with pytest.raises(BenchError, match="takes no table|no table is given"):
            verb("table", *arguments)
    with pytest.raises(BenchError, match="ranks are not available for a table of our and published numbers"):
        verb("table", "mgca_linear", "--with-published", "--ranks", "more.svg")
    assert not (tmp_path / "more.svg").exists()


def test_a_folder_is_no_file_to_write_to(run_suite, tmp_path):
    for arguments in (["table", "shown.py"], ["results", "export", "tiny"]):
        with pytest.raises(BenchError, match="is a folder"):
            verb(*arguments, "--output", ".")


def test_show_and_compare_runs(run_suite, tmp_path, capsys):
    keys = sorted(path.name for path in (tmp_path / "results/tiny/runs").iterdir())
    assert verb("show", keys[0], "--resamples", "10") == 0
    assert f"record {keys[0]}, done" in capsys.readouterr().out
    assert verb("show", f"tiny/{keys[0]}", "--json") == 0
    assert json.loads(capsys.readouterr().out)["key"] == keys[0]
    assert verb("compare", keys[0], keys[0]) == 0
    assert "equal" in capsys.readouterr().out
    with pytest.raises(BenchError, match="nowhere: this is not a store, but 'tiny' is one"):
        verb("compare", "tiny", "nowhere")


def test_results_travel_and_conflicts_are_status_1(run_suite, tmp_path, capsys):
    assert verb("results", "export", "tiny", "--output", "out.zip") == 0
    assert verb("results", "import", "out.zip", "--suite", "merged") == 0
    assert "14 added, 0 already present, 0 in conflict" in capsys.readouterr().out
    assert verb("compare", "tiny", "merged") == 0
    assert "equal" in capsys.readouterr().out
    path = next((tmp_path / "results/merged/runs").glob("*/record.json"))
    values = json.loads(path.read_text())
    values["metrics"]["auroc"] += 0.1
    path.write_text(json.dumps(values))
    assert verb("results", "import", str(tmp_path / "results/tiny"), "--suite", "merged") == 1
    captured = capsys.readouterr()
    assert "0 added, 13 already present, 1 in conflict" in captured.out
    assert f"conflict: {path.parent.name}: auroc is" in captured.err
    with pytest.raises(BenchError, match="no store 'nothing'"):
        verb("results", "export", "nothing")
    content = bytearray((tmp_path / "out.zip").read_bytes())
    content[1000:1400] = bytes(byte ^ 0x5A for byte in content[1000:1400])
    (tmp_path / "damaged.zip").write_bytes(content)
    with pytest.raises(BenchError, match="damaged.zip: is not an exported store"):
        verb("results", "import", "damaged.zip", "--suite", "other")
    assert not (tmp_path / "results/other").exists()


def test_a_broken_file_of_published_numbers_is_one_message(tmp_path):
    folder = tmp_path / "results" / "published"
    folder.mkdir(parents=True)
    (folder / "mine.csv").write_text("method,value\nA,1\n")
    run = subprocess.run(
        [sys.executable, "-m", "prior_bench", "table", "mgca_linear", "--only-published"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert "published/mine.csv:1: has no column 'task'" in run.stderr
