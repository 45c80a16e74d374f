"""A suite on a real Slurm: two pre-trainings on two nodes each, and eight cells.

One job is queued again while it trains, one is cancelled and, later, told of its time limit, and all is
submitted twice.
"""

import csv
import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta
from itertools import combinations

import numpy as np
import pytest
from PIL import Image
from real_slurm import RealSlurm, why_not

from prior_bench.cluster.jobs_folder import JobsFolder
from prior_bench.store.store import Store

PATIENCE = 900
"""Seconds for all jobs; a machine that does other things as well starts Python slowly."""
EPOCHS = 150
"""Epochs of a pre-training, which takes a minute."""

PRETRAIN = """
method = dict(
    type="convirt",
    image_encoder=dict(
        model_name="resnet18",
        in_channels=1,
        input=dict(size=32),
        model_args=dict(channels=(4, 4, 8, 8), stem_width=8),
    ),
    text_encoder=dict(
        config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32),
        max_tokens=32,
    ),
    embed_dim={size},
)
vocab_size = 120
data = dict(dataset={data!r}, transform=dict(RandomAffine=dict(degrees=5)))
batch_size = 8
schedule = dict(epochs={epochs}, warmup_epochs=1)
validation = None
"""
SUITE = """
name = "small"
backbones = [
    dict(name="One", type="pretrain", config={one!r}),
    dict(name="Two", type="pretrain", config={two!r}),
]
evaluations = [
    dict(task="classification", data={data!r}, protocol="demo/linear_probe", fractions=[0.5, 0.6, 0.8, 1.0])
]
seeds = [0]
threads = 1
"""
CLUSTER = """
setup = ("export OMP_NUM_THREADS=1",)
pretraining = dict(nodes=2, gpus_per_node=1, cpus=1, time="1h")
evaluation = dict(cpus=1, time="1h", cells_per_job=2)
table = dict(cpus=1)
"""

pytestmark = [
    pytest.mark.external,
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=f"Slurm cannot be started here: {why_not()}"),
]


@pytest.fixture
def place(tmp_path):
    """Images with reports and labels, two configs, the suite and the cluster file."""
    rng = np.random.default_rng(0)
    rows = [("image", "patient_id", "study_id", "split", "report", "Edema")]
    for study in range(40):
        split = "train" if study < 28 else "valid" if study < 32 else "test"
        edema = study % 2
        image = rng.integers(0, 120, (40, 32)) + 100 * edema
        Image.fromarray(image.astype(np.uint8)).save(tmp_path / f"{study}.png")
        report = "Mild edema is seen." if edema else "The lungs are clear."
        rows.append((f"{study}.png", f"p{study}", f"s{study}", split, f"{report} Study {study}.", edema))
    with open(tmp_path / "data.csv", "w", newline="") as file:
        csv.writer(file).writerows(rows)
    data = str(tmp_path / "data.csv")
    for name in ("one", "two"):
        text = PRETRAIN.format(data=data, size=8 if name == "one" else 6, epochs=EPOCHS)
        (tmp_path / f"{name}.py").write_text(text)
    names = {name: str(tmp_path / f"{name}.py") for name in ("one", "two")}
    (tmp_path / "suite.py").write_text(SUITE.format(data=data, **names))
    (tmp_path / "cluster.py").write_text(CLUSTER)
    return tmp_path


class Bench:
    """Runs prior-bench in a folder with a results root of its own."""

    def __init__(self, folder, results, environment=None):
        self.folder, self.results = folder, folder / results
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SLURM")},
            "OMP_NUM_THREADS": "1",
            "PRIOR_BENCH_RESULTS": str(self.results),
            "PRIOR_BENCH_CACHE": str(folder / f"cache-{results}"),
            "PRIOR_BENCH_CLUSTER": str(folder / "cluster.py"),
            **(environment or {}),
        }

    def __call__(self, *arguments, launcher=("-m", "prior_bench")):
        command = [sys.executable, *launcher, *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=PATIENCE
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def wait(what, true, bench, slurm):
    until = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > until:
            logs = [log.read_text()[-3000:] for log in bench.results.glob("small/cluster/submitit/**/*.out")]
            raise AssertionError(f"{what}: {slurm.states()}\n{slurm.logs()}\n" + "\n".join(logs))
        time.sleep(0.5)


def numbers(store):
    return {job.number: job for job in JobsFolder(store).jobs()}


def test_a_suite_is_done_once_whatever_happens_to_its_jobs(place):
    with RealSlurm() as slurm:
        bench = Bench(place, "results", slurm.environment)
        store = Store(bench.results / "small")
        assert "8 in 4 new jobs; new pre-trainings: 2" in bench("submit", "suite.py", "--dry-run")
        assert not bench.results.exists()
        assert "jobs submitted: 6" in bench("submit", "suite.py")
        assert "nothing to submit" in bench("submit", "suite.py")
        first = numbers(store)
        kinds = [*4 * ["evaluation"], *2 * ["pretraining"], "table"]
        assert sorted(job.kind for job in first.values()) == kinds
        assert set(first) == set(slurm.states())
        one, two = (n for n, job in first.items() if job.kind == "pretraining")
        folders = bench.results / "pretrain"
        for name in ("one", "two"):
            wait("an epoch", lambda name=name: list(folders.glob(f"{name}-*/epoch_*.pth")), bench, slurm)
        status = bench("submit", "suite.py", "--status")
        assert "small: 8 cells" in status and f"(job {one})" in status
        slurm.run("scontrol", "requeue", one)
        slurm.run("scancel", two)
        wait("the cancelled job", lambda: two not in slurm.states(), bench, slurm)
        # its evaluations can never run, so that Slurm has cancelled them
        wait("its evaluations", lambda: len(slurm.states()) == 4, bench, slurm)
        assert "jobs submitted: 3" in bench("submit", "suite.py")
        assert "nothing to submit" in bench("submit", "suite.py")
        (two,) = (n for n, job in numbers(store).items() if job.kind == "pretraining" and n != one)
        log = store.root / f"cluster/submitit/{numbers(store)[two].token}/{two}_0_log.out"
        wait("another epoch", lambda: log.is_file() and "epoch" in log.read_text(), bench, slurm)
        slurm.run("scancel", "--signal=USR2", two)  # as before a time limit
        wait("all jobs", lambda: not slurm.states(), bench, slurm)
        told = log.read_text()
        assert "its state is saved" in told and ("Requeued job" in told or "is queued again" in told), told
        status = bench("submit", "suite.py", "--status")
        assert "done           8" in status, status
        assert (store.root / "tables.md").is_file() and (store.root / "report.html").is_file()
        assert "nothing to submit" in bench("submit", "suite.py")

    serial = Bench(place, "serial")
    for name in ("one", "two"):
        torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
        command = ("-m", "prior_bench", "pretrain", f"{name}.py", "--threads", "1")
        serial(*command, launcher=torchrun)
    serial("run", "suite.py")
    done, expected = store.records(), Store(serial.results / "small").records()
    assert set(done) == set(expected) and len(done) == 8
    assert {key: record.metrics for key, record in done.items()} == {
        key: record.metrics for key, record in expected.items()
    }
    assert_weights_went_on(folders, serial.results / "pretrain")
    assert_started_once(store, done)
    assert_one_job_per_gpu(done)


def assert_weights_went_on(folders, expected):
    """The weights are those of an undisturbed training, and each was trained on from where it had stopped."""
    from safetensors.numpy import load_file

    for place in expected.glob("*/model.safetensors"):
        ours, theirs = load_file(folders / place.parent.name / place.name), load_file(place)
        assert all(np.array_equal(ours[name], theirs[name]) for name in theirs)
    (one,) = folders.glob("one-*/history.json")
    epochs = [entry["epoch"] for entry in json.loads(one.read_text())]
    assert epochs == list(range(1, EPOCHS + 1))
    (note,) = folders.glob("one-*/run.json")
    assert len(json.loads(note.read_text())["computed"]) >= 1


def assert_started_once(store, done):
    """No cell ran twice to its end."""
    lines = [line.split("\t") for line in (store.root / "runs.log").read_text().splitlines()]
    finished = [key for _, event, key, _ in lines if event == "finished"]
    assert sorted(finished) == sorted(done)


def assert_one_job_per_gpu(done):
    """Runs of different jobs on one GPU of a node follow each other."""
    busy = []
    for record in done.values():
        bound, end = record.provenance["binding"], datetime.fromisoformat(record.provenance["finished"])
        begin = end - timedelta(seconds=record.provenance["wall_seconds"])
        busy.append((bound["SLURMD_NODENAME"], bound["CUDA_VISIBLE_DEVICES"], bound["slurm_job"], begin, end))
    assert {(node, len(gpu.split(","))) for node, gpu, *_ in busy} <= {("n1", 1), ("n2", 1)}
    for a, b in combinations(busy, 2):
        if a[:2] == b[:2] and a[2] != b[2]:
            assert a[4] <= b[3] or b[4] <= a[3], f"{a} and {b} at once"
