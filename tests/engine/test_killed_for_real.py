"""A suite of real tasks, killed at three moments in two processes, and run again, ends in the same table."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SUITE = """
name = "killed"
table = "killed"
seeds = [0, 1]
backbones = [
    dict(name="Random", type="random", config="convirt_sample"),
    dict(name="ConVIRT", type="pretrain", config="convirt_sample"),
]
evaluations = [
    dict(task="classification", data="sample:chexpert", protocol="demo/linear_probe", fractions=[0.5, 1.0]),
    dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot"),
    dict(task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval"),
]
"""
TABLE = """
suite = "killed"
rows = "all"
columns = [
    dict(group="CheXpert", label="probe", task="classification", data="sample:chexpert",
         protocol="demo/linear_probe", fraction=1.0, metric="auroc"),
    dict(group="5x200", label="zero-shot", task="zero_shot", data="sample:chexpert_5x200",
         protocol="demo/zero_shot", metric="accuracy"),
    dict(group="MIMIC", label="R@5", task="retrieval", data="sample:mimic_cxr", protocol="demo/retrieval",
         metric="recall_at_5"),
]
"""


def command(folder: Path, results: str, *arguments: str) -> subprocess.Popen:
    environment = {
        **os.environ,
        "PRIOR_BENCH_SAMPLE_SIZE": "tiny",
        "PRIOR_BENCH_DATA": "data",
        "PRIOR_BENCH_CACHE": f"{results}-cache",
        "PRIOR_BENCH_RESULTS": results,
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "prior_bench", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(folder: Path, results: str) -> list[Path]:
    return sorted((folder / results / "killed/runs").glob("*/record.json"))


def wait_for(condition, process: subprocess.Popen) -> None:
    while not condition() and process.poll() is None:
        time.sleep(0.02)


@pytest.mark.slow
def test_killed_suite_ends_like_an_undisturbed_one(tmp_path):
    (tmp_path / "killed.py").write_text(SUITE)
    (tmp_path / "killed_table.py").write_text(TABLE)
    (tmp_path / "killed_suite.py").write_text(SUITE.replace('table = "killed"', 'table = "killed_table.py"'))
    whole = command(tmp_path, "whole", "run", "killed_suite.py")
    assert whole.wait() == 0, whole.stderr.read()

    moments = [
        lambda: len(finished(tmp_path, "cut")) >= 2,
        lambda: any((tmp_path / "cut/pretrain").rglob("epoch_*.pth")),
        lambda: len(finished(tmp_path, "cut")) >= 13,
    ]
    before: dict[Path, float] = {}
    for moment in moments:
        process = command(tmp_path, "cut", "run", "killed_suite.py", "--jobs", "2")
        wait_for(moment, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.returncode == -signal.SIGKILL, "the suite ended before it could be killed"
        now = {path: path.stat().st_mtime_ns for path in finished(tmp_path, "cut")}
        assert before.items() <= now.items(), "a finished run was written again"
        before = now
    last = command(tmp_path, "cut", "run", "killed_suite.py")
    assert last.wait() == 0, last.stderr.read()
    assert before.items() <= {p: p.stat().st_mtime_ns for p in finished(tmp_path, "cut")}.items()

    tables = []
    for results in ("whole", "cut"):
        table = command(tmp_path, results, "table", "killed_table.py", "--format", "csv")
        out, errors = table.communicate()
        assert table.returncode == 0, errors
        tables.append(out)
    assert tables[0] == tables[1]
    assert len(tables[0].splitlines()) >= 3
    shutil.rmtree(tmp_path / "data")
