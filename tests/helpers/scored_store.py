"""Stores with predictions of which it is known how good they are."""

import re
from pathlib import Path

import numpy as np
from fixed_store import spec

from prior_bench.api import RunRecord
from prior_bench.metrics.classification import evaluate
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.store.store import Store

CLASSES = ("Edema", "Effusion")


def predictions(skill: float, seed: int, patients: int = 100) -> dict[str, np.ndarray]:
    """Two images per patient; scores are ``skill`` x label + noise, in part shared by all methods."""
    random = np.random.default_rng(0)
    target = (random.random((2 * patients, 2)) < 0.4).astype(float)
    common = random.normal(size=target.shape)
    own = np.random.default_rng([seed, int(100 * skill)]).normal(size=target.shape)
    return {
        "id": np.array([f"i{i:03}" for i in range(2 * patients)]),
        "patient_id": np.array([f"p{i // 2:03}" for i in range(2 * patients)]),
        "score": 1 / (1 + np.exp(-(skill * target + common + 0.5 * own))),
        "target": target,
        "meta_classes": np.array(CLASSES),
        "meta_exclusive": np.array(False),
        "meta_thresholds": np.full(2, 0.5),
    }


def save(
    store: Store, name: str, skill: float, seed: int = 0, metrics=("auroc", "f1"), patients=100, **changes
) -> FinishedRun:
    """Write a linear probe with predictions; ``changes`` are of its spec."""
    run = {**spec(name, "classification", "chexpert", "demo/linear_probe", seed=seed), **changes}
    run["protocol"] = {**run["protocol"], "metrics": list(metrics)}
    found = predictions(skill, seed, patients)
    key = re.sub(r"[^a-z0-9]+", "-", f"{name.lower()}-{seed}")
    values = evaluate(found["score"], found["target"], CLASSES, metrics)
    record = RunRecord(key, "done", run, metrics=values, synthetic=run["data"]["root"].startswith("sample:"))
    store.save(record, found)
    return FinishedRun(run, key, "", record, store)


def scored(root: Path, skills: dict[str, float], seeds: int = 2) -> Store:
    store = Store(root)
    for name, skill in skills.items():
        for seed in range(seeds):
            save(store, name, skill, seed)
    return store
