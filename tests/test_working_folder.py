"""Processes that we start import nothing that lies in the working folder, which may be somebody else's."""

import multiprocessing
import os
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from prior_bench.cluster import sbatch
from prior_bench.pretraining import on_gpus
from prior_bench.runtime import SAFE_PATH, own_modules
from prior_bench.sample.cohorts import SAMPLE
from prior_bench.sample.generate import generate


def test_those_of_the_sample_data_do_not(hiding_modules, tmp_path):
    assert generate(tmp_path / "sample", "tiny", SAMPLE, processes=2).is_dir()
    assert not hiding_modules.exists()


def test_spawned_ones_do_not(hiding_modules, monkeypatch):
    monkeypatch.delenv(SAFE_PATH, raising=False)
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=shlex.quote, args=("text",))
    with own_modules():
        process.start()
    process.join(60)
    assert process.exitcode == 0 and not hiding_modules.exists()


def test_those_per_gpu_do_not(monkeypatch):
    monkeypatch.delenv(SAFE_PATH, raising=False)
    monkeypatch.setattr(on_gpus, "elastic_launch", lambda *_: lambda: {0: os.environ[SAFE_PATH]})
    assert on_gpus.in_processes(["0"], "name", print) == {0: "1"}


@pytest.mark.parametrize("given", [None, "container exec python3"])
def test_jobs_of_a_cluster_do_not(given):
    cluster = SimpleNamespace(python=given, requeues=0)
    argv = sbatch._command(Path("job.json"), cluster).argv
    before = [sys.executable] if given is None else given.split()
    assert argv == [*before, "-P", "-m", "prior_bench", "job", "job.json"]
