"""A store with fixed numbers: three backbones, two tasks, two seeds; a failure, a gap, a cell not run."""

from pathlib import Path

import numpy as np

from prior_bench.api import Protocol, RunRecord
from prior_bench.store.store import Store

AUROC = {"Random": (0.50, 0.52), "ConVIRT": (0.70, 0.74), "PRIOR & Co_1": (0.80, 0.81)}

TABLE = """
title = "Tiny"
suite = "tiny"
columns = [
    dict(group="CheXpert (AUROC)", label="10 %", task="classification", data="sample:chexpert",
         protocol="demo/linear_probe", fraction=0.1, metric="auroc"),
    dict(group="CheXpert (AUROC)", label="100 %", task="classification", data="sample:chexpert",
         protocol="demo/linear_probe", metric="auroc"),
    dict(group="Retrieval", label="median rank", task="retrieval", data="sample:mimic_cxr",
         protocol="demo/retrieval", metric="median_rank", scale=1, digits=2, higher_is_better=False),
]
"""


def spec(backbone: str, task: str, data: str, protocol: str, fraction=1.0, seed=0) -> dict:
    resolved = {"name": f"{data} (synthetic)", "type": data, "root": f"sample:{data}"}
    return {
        "backbone": {"name": backbone, "type": "random"},
        "task": task,
        "data": resolved,
        "protocol": Protocol(name=protocol, task=task, metrics=("auroc",)).to_dict(),
        "fraction": fraction,
        "seed": seed,
    }


def fixed_stores(results: Path) -> list[Store]:
    store = Store(results / "tiny")
    plan = []
    for name, values in AUROC.items():
        for seed, auroc in enumerate(values):
            for fraction in (0.1, 1.0):
                key = f"{name.split()[0].lower()}-{fraction}-{seed}"
                run = spec(name, "classification", "chexpert", "demo/linear_probe", fraction, seed)
                plan.append({"spec": run, "key": key, "reason": ""})
                record = RunRecord(
                    key=key,
                    status="done",
                    spec=run,
                    metrics={"auroc": auroc - (0.1 if fraction < 1 else 0), "auroc/Edema": auroc},
                    trivial={"chance": {"auroc": 0.5}, "all_empty": {"dice": 0.1}},
                    history=[{"epoch": e, "loss": 1 / e} for e in (1, 2, 3)],
                    provenance={"finished": "2026-01-01T00:00:00.000+00:00", "wall_seconds": 2.5},
                    synthetic=True,
                )
                if name == "ConVIRT" and fraction < 1 and seed:  # one seed of two is missing
                    record = None
                if name.startswith("PRIOR") and fraction < 1:
                    record.status, record.metrics, record.trivial = "failed", {}, {}
                    record.error = "ValueError: a | b\n  fix: none"
                if record:
                    store.save(record, {"id": np.array(["a", "b"]), "score": np.zeros((2, 1))})
            run = spec(name, "retrieval", "mimic_cxr", "demo/retrieval", 1.0, seed)
            reason = "no text encoder" if name == "Random" else ""
            plan.append({"spec": run, "key": f"{name.split()[0].lower()}-r-{seed}", "reason": reason})
            if name.startswith("PRIOR"):
                metrics = {"median_rank": 3.0 + seed}
                record = RunRecord(plan[-1]["key"], "done", run, metrics=metrics, synthetic=True)
                store.save(record)
    store.save_plan(plan)
    return [store]
