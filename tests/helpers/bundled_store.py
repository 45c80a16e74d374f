"""Stores whose records have the keys of their settings, and bundles of them, honest and forged."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
from fixed_store import spec
from scored_store import CLASSES, predictions

from prior_bench.api import RunRecord, RunSpec
from prior_bench.leaderboard.bundle import Submission, write_bundle
from prior_bench.leaderboard.layout import sealed
from prior_bench.metrics.classification import evaluate
from prior_bench.registry import TASKS
from prior_bench.store.descriptions import plain_data
from prior_bench.store.store import Store
from prior_bench.suites.keys import run_key

METRICS = ("auroc", "f1")
PATIENTS = 40
REAL = {"name": "chexpert", "type": "chexpert", "root": "/home/me/data/chexpert"}


def save_keyed(
    store: Store,
    name: str,
    skill: float,
    seed: int = 0,
    *,
    data: dict | None = None,
    identity: str = "",
    fingerprint: str = "f0",
    split: str = "s0",
    protocol: dict | None = None,
    fraction: float = 1.0,
    provenance: dict | None = None,
) -> RunRecord:
    """Write a linear probe with predictions under the key of its settings."""
    run = spec(name, "classification", "chexpert", "demo/linear_probe", fraction, seed)
    run["data"] = dict(data or run["data"])
    run["protocol"] = {
        **json.loads(json.dumps(run["protocol"])),
        "metrics": list(METRICS),
        **(protocol or {}),
    }
    found = predictions(skill, seed, PATIENTS)
    found |= {
        "example_row": np.array([0, 1]),
        "meta_train_id": np.array(["patient00001/view1.png", "patient00002/view1.png"]),
        "report": np.array([f"Mr. Smith, line {n}" for n in range(len(found["id"]))]),
    }
    told = {
        "identity": identity or hashlib.sha256(f"{name} {seed}".encode()).hexdigest()[:16],
        "data_fingerprint": fingerprint,
        "declared_versions": {"task": 1},
        "finished": f"2026-11-0{1 + seed}T00:00:00.000+00:00",
        "versions": {"python": "3.11.7", "prior-bench": "0.1.0", "torch": "2.14.1"},
        "git": {"revision": "5e34cc830bfbda37e10cc2332943b52ecf728419", "dirty": False},
        "hardware": {"device": "cpu", "cpu": "AMD EPYC", "cores": 2},
        "binding": {"CUDA_VISIBLE_DEVICES": "GPU-1234"},
        "command": "prior-bench run /home/me/suite.py --data csv:/home/me/mine.csv",
        "backbone": {
            "source": "checkpoint file",
            "path": f"/home/me/weights/{name}.pth",
            "model": "resnet18",
        },
        "wall_seconds": 2.5,
        **(provenance or {}),
    }
    key = run_key(RunSpec(**run), told["identity"], told["data_fingerprint"], told["declared_versions"])
    record = RunRecord(
        key,
        "done",
        run,
        metrics={**evaluate(found["score"], found["target"], CLASSES, METRICS), "classes_left_out": 0.0},
        trivial={"chance": {"auroc": 0.5}},
        split={"rule": "default", "hash": split, "test": len(found["id"])},
        provenance=told,
        synthetic=run["data"]["root"].startswith("sample:"),
        about=plain_data(TASKS.get("classification"), METRICS),
    )
    store.save(record, found)
    return record


def keyed(root: Path, skills: dict[str, float], seeds: int = 2, **settings) -> Store:
    """A store with some rows, each with some seeds."""
    store = Store(root)
    for name, skill in skills.items():
        for seed in range(seeds):
            save_keyed(store, name, skill, seed, **settings)
    return store


def bundled(store: Store, path: Path, *, predictions: bool = True, title: str = "", **said) -> Path:
    """A bundle of a store."""
    submission = Submission(title or path.stem, said.pop("contact", "me"), "CC-BY-4.0", **said)
    return write_bundle(store, path, submission, predictions=predictions).path


def members_of(path: Path) -> dict[str, bytes]:
    """The members of a bundle by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path: Path, members: dict[str, bytes]) -> Path:
    """A ZIP file with some members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def resealed(path: Path, members: dict[str, bytes], **changes) -> Path:
    """A bundle with some members whose hashes fit: what somebody writes who knows the layout."""
    statement = json.loads(members["bundle.json"])
    rest = {name: content for name, content in members.items() if name != "bundle.json"}
    statement["members"] = {name: hashlib.sha256(content).hexdigest() for name, content in rest.items()}
    statement |= changes
    statement["sha256"] = sealed(statement)
    return written(path, {**rest, "bundle.json": json.dumps(statement).encode()})


def record_member(members: dict[str, bytes], number: int = 0) -> str:
    """The name of the member with a record."""
    return sorted(name for name in members if name.endswith("record.json"))[number]


def edited(content: bytes, change) -> bytes:
    """The JSON content of a member after ``change(values)``."""
    values = json.loads(content)
    change(values)
    return json.dumps(values).encode()
