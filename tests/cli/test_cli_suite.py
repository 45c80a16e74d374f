"""``run`` and ``table`` from the command line, on fake parts."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.report.tables.table import build_table, load_table


def verb(name: str, *arguments: str) -> int:
    import argparse

    module = import_module(f"prior_bench.cli.{name}")
    parser = argparse.ArgumentParser()
    module.configure(parser)
    return module.run(parser.parse_args(arguments))


@pytest.fixture
def suite(parts, tmp_path) -> str:
    """A suite with a table, as a file."""
    (tmp_path / "shown.py").write_text(
        'title = "Shown"\nsuite = "tiny"\ncolumns = [dict(group="Fake", label="AUROC", task="fake",'
        ' data="fake", protocol="fake/plain", metric="auroc")]\n'
    )
    path = parts.suite_config(tmp_path)
    path.write_text(path.read_text() + 'table = "shown.py"\n')
    return str(path)


def test_dry_run_prints_the_plan_and_does_nothing(suite, tmp_path, capsys):
    assert verb("run", suite, "--dry-run") == 0
    out = capsys.readouterr().out
    assert out.count("to do  ") == 14 and out.count("no text encoder  Low · fake_text") == 2
    assert "16 cells: 0 done, 14 to do, 2 cannot be run" in out
    assert not (tmp_path / "results").exists()


def test_dry_run_says_which_data_is_absent(parts, tmp_path, capsys):
    path = parts.suite_config(tmp_path)
    text = path.read_text()
    path.write_text(text.replace('"fake", protocol="fake/odd"', '"fake@gone", protocol="fake/odd"'))
    assert verb("run", str(path), "--dry-run") == 0
    out = capsys.readouterr().out
    assert "missing: " in out and "gone" in out and "fake@DIR" in out
    assert "10 to do, 6 cannot be run" in out
    with pytest.raises(BenchError, match="the data set fake is not there"):
        verb("run", str(path))


def test_run_prints_progress_table_and_sum(suite, capsys):
    assert verb("run", suite, "--device", "cpu") == 0
    out = capsys.readouterr().out
    assert "[14/14]" in out and "**Shown**" in out and "14 run, 0 already done, 0 failed" in out
    assert verb("run", suite, "--device", "cpu") == 0
    assert "0 run, 14 already done" in capsys.readouterr().out
    verb("run", suite, "--dry-run")
    assert "14 done, 0 to do" in capsys.readouterr().out


def test_only_and_overwrite(suite, capsys):
    part = ("--only", "backbone=High", "--only", "seed=0", "--device", "cpu")
    verb("run", suite, *part)
    assert "4 run, 0 already done" in capsys.readouterr().out
    verb("run", suite, *part, "--overwrite", "all")
    assert "4 run, 0 already done" in capsys.readouterr().out


@pytest.mark.slow
def test_records_of_other_source_code_stay_and_are_counted_once(suite, capsys, monkeypatch):
    assert verb("run", suite) == 0
    assert "different source code" not in capsys.readouterr().err
    monkeypatch.setattr("prior_bench.store.changed_source.task_source", lambda task: f"other {task}")
    assert verb("run", suite) == 0
    out, err = capsys.readouterr()
    assert "0 run, 14 already done" in out
    said = "warning: 14 of 14 records were made by different source code with the same declared versions"
    assert err.count(said) == 1 and f"to run them again: prior-bench run {suite} --overwrite all" in err
    assert verb("table", "--leaderboard", "--no-test") == 0
    assert capsys.readouterr().err.count(said) == 1
    assert verb("run", suite, "--overwrite", "all") == 0
    assert "different source code" not in capsys.readouterr().err


def test_a_failed_run_gives_status_1_and_names_its_traceback(parts, tmp_path, capsys):
    path = parts.suite_config(tmp_path)
    path.write_text(path.read_text().replace("fake/odd", "fake/unlucky"))
    assert verb("run", str(path), "--device", "cpu") == 1
    captured = capsys.readouterr()
    assert "12 run, 0 already done, 2 failed" in captured.out
    label = "Low · fake · fake · fake/unlucky · 100 % · seed 1 (and 1 more)"
    assert f"- {label}: ValueError: seed 1 is not lucky\n" in captured.err
    assert Path(captured.err.split("traceback: ")[1].split()[0]).is_file()


@pytest.mark.slow
def test_a_list_of_tables_is_printed_whole(parts, suite, tmp_path, capsys):
    (tmp_path / "other.py").write_text((tmp_path / "shown.py").read_text().replace("Shown", "Other"))
    path = Path(suite)
    path.write_text(path.read_text().replace('table = "shown.py"', 'table = ["shown.py", "other.py"]'))
    verb("run", suite, "--device", "cpu")
    out = capsys.readouterr().out
    assert out.index("**Shown**") < out.index("**Other**")
    verb("report", suite)
    page = Path(capsys.readouterr().out.strip()).read_text()
    assert page.index("Shown") < page.index("Other")


def test_the_same_data_elsewhere_goes_to_the_same_store(suite, tmp_path, capsys):
    path = Path(suite)
    text = path.read_text()
    (tmp_path / "moved").symlink_to(tmp_path / "data" / "fake")
    verb("run", suite, "--device", "cpu")
    capsys.readouterr()
    verb("run", suite, "--device", "cpu", "--data", "fake@moved")
    assert "0 run, 14 already done" in capsys.readouterr().out
    verb("table", "shown.py", "--suite", suite, "--data", "fake@moved")
    assert "**Shown**" in capsys.readouterr().out
    path.write_text(text.replace('data="fake"', 'data="chexpert"', 1))
    with pytest.raises(BenchError, match="the suite has 2 data sets: chexpert, fake"):
        verb("run", suite, "--data", "fake@moved")


def test_published_numbers_are_not_put_beside_other_data(suite):
    with pytest.raises(BenchError, match="published numbers do not apply to other data"):
        verb("table", "shown.py", "--suite", suite, "--data", "fake@moved", "--with-published")


def test_table_formats_and_output(suite, tmp_path, capsys):
    verb("run", suite, "--device", "cpu")
    capsys.readouterr()
    assert verb("table", "shown.py", "--trivial") == 0
    assert "| *chance*" in capsys.readouterr().out
    assert verb("table", "shown.py", "--format", "json", "--output", "deep/table.json") == 0
    values = json.loads((tmp_path / "deep/table.json").read_text())
    assert [row["label"] for row in values["rows"]] == ["Low", "High"]
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["table.json"]
    with pytest.raises(BenchError, match="cannot be written"):
        verb("table", "shown.py", "--output", "shown.py/table.md")


def test_two_rows_with_the_same_weights_share_one_run_and_both_show_it(parts, tmp_path, suite):
    path = Path(suite)
    path.write_text(path.read_text().replace("value=2.0", "value=1.0"))
    verb("run", suite, "--device", "cpu")
    rows = build_table(load_table("shown.py")).rows
    assert rows[0].cells[0].values == rows[1].cells[0].values and len(rows[0].cells[0].values) == 2


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "no_such_suite"], "unknown config in suites 'no_such_suite'"),
        (["table", "no_such_table"], "unknown config in tables 'no_such_table'"),
        (["run", "demo", "--only", "fraction"], "'fraction' is not a filter"),
        (["eval", "zero_shott", "--backbone", "random:resnet18", "--data", "chexpert"], "unknown task"),
    ],
)
def test_user_errors_are_one_message_and_status_1(arguments, message, tmp_path):
    run = subprocess.run(
        [sys.executable, "-m", "prior_bench", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 1
    assert message in run.stderr and "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_one_file_of_medmnist_gives_a_linear_probe_and_fine_tuning(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    rng, arrays = np.random.default_rng(0), {}
    for part, count in (("train", 120), ("val", 40), ("test", 40)):
        labels = rng.integers(0, 2, (count, 1), dtype=np.uint8)
        images = rng.integers(0, 120, (count, 28, 28)) + 90 * labels[:, :, None]
        arrays |= {f"{part}_images": images.astype(np.uint8), f"{part}_labels": labels}
    np.savez_compressed("pneumoniamnist.npz", **arrays)
    part = ("--data", "pneumoniamnist.npz", "--only", "backbone=Random", "--only", "seed=0")
    assert verb("run", "pneumoniamnist", *part, "--device", "cpu") == 0
    out = capsys.readouterr().out
    assert "2 run, 0 already done, 0 failed" in out and "laptop/finetune" in out
    (row,) = [r for r in build_table(load_table("pneumoniamnist")).rows if r.label == "Random"]
    assert [cell.reason for cell in row.cells] == [""] * 4
    assert all(cell.mean > 95 for cell in row.cells[::2]), "brightness tells the classes apart"
