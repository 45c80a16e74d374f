"""Parts that stand in for real tasks, backbones, data sets and protocols; ``register()`` makes them known.

A fake result depends on the weights, the data, the fraction and the seed, and on the random state that
the engine has to set; nothing else.
"""

import os
import random
import time
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.api import Backbone, InputSpec, TaskResult
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.registry import BACKBONES, DATASETS, TASKS
from prior_bench.suites.protocols import PROTOCOLS

CLASSES = ("Edema", "Effusion")


def read_fake(root: Path, *, split: str = "default") -> Manifest:
    """Ten rows; the folder only has to be there. The rule "odd" moves the rows to other splits."""
    rows = range(10)
    table = pd.DataFrame(
        {
            "id": [f"i{row}" for row in rows],
            "patient_id": [f"p{row // 2}" for row in rows],
            "image": [f"{row}.png" for row in rows],
            "split": ["train" if row < 6 - 2 * (split == "odd") else "test" for row in rows],
            CLASSES[0]: [float(row % 2) for row in rows],
            CLASSES[1]: [float(row % 3 == 0) for row in rows],
        }
    )
    return Manifest("fake", root, table, labels=CLASSES, split_rule=split)


class Weights:
    """Stands in for a module."""

    dim = 3
    input = InputSpec()

    def __init__(self, value: float):
        import torch

        self.tensor = torch.full((3,), float(value))

    def __call__(self, images):
        return self.tensor.expand(len(images), -1)

    def state_dict(self):
        return {"weight": self.tensor}


class FakeBackbone:
    """A source of weights equal to ``value + seed`` (or ``value`` where ``seeded`` is false)."""

    loads: list[tuple[str, int]] = []

    def __init__(self, name, value=1.0, has_text=True, seeded=True, broken=False):
        self.name, self.value, self.has_text = name, value, has_text
        self.seeded, self.broken = seeded, broken

    def check(self):
        if self.value < 0:
            raise BenchError("value must not be negative", where="value")

    def identity(self, seed):
        return f"{self.value}-{seed if self.seeded else ''}"

    def load(self, seed, context):
        FakeBackbone.loads.append((self.name, seed))
        if self.broken:
            raise RuntimeError("no weights today")
        weights = Weights(self.value + (seed if self.seeded else 0))
        method = weights if self.has_text else None
        return Backbone(self.name, weights, method, InputSpec(), self.identity(seed), {"from": "nowhere"})


class FakeTask:
    """AUROC that grows with weights and fraction, plus noise from the random state."""

    name = "fake"
    needs_text = False
    needs = ("labels",)
    runs: list[tuple] = []

    def check(self, data, protocol):
        if protocol.options.get("refuse"):
            raise BenchError("the protocol asks for what the data lacks")

    def run(self, backbone, data, protocol, context):
        FakeTask.runs.append((backbone.name, protocol.name, context.fraction, context.seed))
        die_at(f"run {len(FakeTask.runs)}")
        if protocol.options.get("fail") == context.seed:
            raise ValueError(f"seed {context.seed} is not lucky")
        if protocol.options.get("spoil"):
            backbone.image_encoder.tensor += 1
        if protocol.options.get("spoil_and_fail"):
            backbone.image_encoder.tensor += 1
            raise ValueError("half way")
        assert context.work_dir.is_dir()
        test = data.split("test")
        noise = random.random() / 100
        auroc = 0.5 + 0.05 * float(backbone.image_encoder.tensor[0]) + 0.1 * context.fraction + noise
        return TaskResult(
            metrics={"auroc": auroc, "auroc/Edema": auroc - 0.1, "auroc/Effusion": float("nan")},
            predictions={
                "id": test.table["id"].to_numpy(),
                "patient_id": test.table["patient_id"].to_numpy(),
                "score": np.full((len(test), 2), auroc, np.float32),
                "target": test.targets(),
                "meta_classes": np.array([{}] if protocol.options.get("unstorable") else CLASSES),
            },
            split=data.split_summary(),
            trivial={"chance": {"auroc": 0.5}},
            history=[{"epoch": 1, "loss": 0.7}],
        )

    def score(self, predictions, metrics):
        return {"auroc": float(predictions["score"].mean())}


class FakeTextTask(FakeTask):
    """The same for a task that compares with texts."""

    name = "fake_text"
    needs_text = True


class Sleeper(FakeTask):
    """Notes the process that it is in beside the data, and takes forever."""

    def run(self, backbone, data, protocol, context):
        (Path(data.root) / f"{os.getpid()}.pid").touch()
        time.sleep(60)


class Gathering(FakeTask):
    """Waits until ``FAKE_GATHER`` processes are at work; measures which GPU this process is bound to."""

    def run(self, backbone, data, protocol, context):
        (Path(data.root) / f"{os.getpid()}.pid").touch()
        until = time.monotonic() + 300
        while len(list(Path(data.root).glob("*.pid"))) < int(os.environ.get("FAKE_GATHER", 1)):
            assert time.monotonic() < until, "the others do not come"
            time.sleep(0.05)
        result = super().run(backbone, data, protocol, context)
        result.metrics["visible"] = float(os.environ.get("CUDA_VISIBLE_DEVICES") or -1)
        return result


def protocol(task="fake", **options):
    """A registrable protocol."""
    return lambda: {"task": task, "metrics": ("auroc",), "options": options}


def die_at(moment: str) -> None:
    """SIGKILL this process where ``FAKE_DIE_AT`` names the moment."""
    if os.environ.get("FAKE_DIE_AT") == moment:
        os.kill(os.getpid(), 9)


def register() -> None:
    """Make the fake parts known in this process."""
    FakeBackbone.loads.clear()
    FakeTask.runs.clear()
    DATASETS.register_module("fake", force=True, module=read_fake)
    BACKBONES.register_module("fake", force=True, module=FakeBackbone)
    TASKS.register_module("fake", force=True, module=FakeTask)
    TASKS.register_module("fake_text", force=True, module=FakeTextTask)
    for name, entry in {
        "fake/plain": protocol(),
        "fake/odd": lambda: {"task": "fake", "metrics": ("auroc",), "split": {"rule": "odd"}},
        "fake/text": protocol("fake_text"),
        "fake/unlucky": protocol(fail=1),
        "fake/spoils": protocol(spoil=True),
        "fake/spoils_and_fails": protocol(spoil_and_fail=True),
        "fake/unstorable": protocol(unstorable=True),
        "fake/refuses": protocol(refuse=True),
    }.items():
        PROTOCOLS.register_module(name, force=True, module=entry)


def suite_config(folder: Path, text: str = "") -> Path:
    """A suite of two rows, three evaluations and two seeds, as a file in ``folder``."""
    (folder / "data" / "fake").mkdir(parents=True, exist_ok=True)
    path = folder / "tiny.py"
    path.write_text(
        text
        or """
name = "tiny"
backbones = [dict(name="Low", type="fake", has_text=False), dict(name="High", type="fake", value=2.0)]
evaluations = [
    dict(task="fake", data="fake", protocol="fake/plain", fractions=[0.1, 1.0]),
    dict(task="fake", data="fake", protocol="fake/odd"),
    dict(task="fake_text", data="fake", protocol="fake/text"),
]
seeds = [0, 1]
"""
    )
    return path
