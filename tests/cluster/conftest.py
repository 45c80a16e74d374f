import os
from pathlib import Path

import fake_parts
import pytest
from fake_slurm import FakeSlurm

from prior_bench.registry import BACKBONES
from prior_bench.schema.cluster import ClusterFile
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import Suite, load_suite

SUITE = """
name = "tiny"
backbones = [
    dict(name="Ready", type="fake"),
    dict(name="Trained", type="fake_trained", value=2.0),
]
evaluations = [dict(task="fake", data="fake", protocol="fake/plain", fractions=[0.1, 0.5, 1.0])]
seeds = [0]
"""


class FakeTrained(fake_parts.FakeBackbone):
    """Weights that a suite pre-trains; ``today`` changes what they are made from."""

    today: dict = {}

    def __init__(self, name, value=1.0, gpus=1):
        super().__init__(name, value)
        self.gpus, self.assumed = gpus, ""

    def identity(self, seed):
        return f"trained-{self.value}-{seed}{self.today.get('config', '')}"

    def made_from(self):
        fingerprint = self.assumed or self.today.get("fingerprint", "data")
        return {"source": "code", "versions": {"method": 1}, **self.today, "fingerprint": fingerprint}

    def assume(self, fingerprint):
        self.assumed = fingerprint

    def gpus_wanted(self, seed, pretrain_dir):
        return self.gpus

    def place(self, seed, pretrain_dir):
        return Path(pretrain_dir) / f"fake-seed{seed}-{self.identity(seed)}" / "model.safetensors"

    def is_made(self, seed, pretrain_dir):
        return self.place(seed, pretrain_dir).is_file()

    def make(self, seed, context, slurm=False):
        path = self.place(seed, context.pretrain_dir)
        path.parent.mkdir(parents=True)
        path.write_text(f"slurm {slurm}")
        return path


@pytest.fixture(autouse=True)
def own_parts(parts, monkeypatch):
    """Every test here runs with the fake parts, with a source that pre-trains, and with roots of its own."""
    BACKBONES.register_module("fake_trained", force=True, module=FakeTrained)
    monkeypatch.setattr(FakeTrained, "today", {})
    monkeypatch.delenv("PRIOR_BENCH_CLUSTER", raising=False)
    for name in [name for name in os.environ if name.startswith("SLURM")]:
        monkeypatch.delenv(name)
    return FakeTrained


@pytest.fixture
def trained(own_parts):
    """The class of the source that pre-trains."""
    return own_parts


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's programs on the PATH; their queue is empty."""
    fake = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("FAKE_SLURM", str(fake.root))
    monkeypatch.setenv("PATH", f"{fake.programs}:{os.environ['PATH']}")
    return fake


@pytest.fixture
def file(tmp_path):
    """The config of the suite."""
    return fake_parts.suite_config(tmp_path, SUITE)


@pytest.fixture
def suite(file) -> Suite:
    return load_suite(str(file))


@pytest.fixture
def plan(suite):
    return expand(suite)


@pytest.fixture
def store(suite) -> Store:
    return Store.of(suite.name)


@pytest.fixture
def cluster() -> ClusterFile:
    return ClusterFile.model_validate({"evaluation": {"cells_per_job": 2}})
