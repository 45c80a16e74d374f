"""How the time and memory of a table with tests grow: ``python -m benchmarks.table_tests``.

Makes a store of linear probes with planted scores for each number of rows, and fills a table from it with and
without tests, each in a process of its own. Prints seconds, peak memory, and the slope in log-log scale: a
slope of 1 is proportional to the number of rows, 2 to the number of pairs.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

METRICS = ("auroc", "f1")
CLASSES = ("Edema", "Effusion")


def make(root: Path, rows: int, seeds: int, images: int) -> None:
    """Write a store with one evaluation of ``rows`` backbones."""
    from prior_bench.api import Protocol, RunRecord
    from prior_bench.metrics.classification import evaluate
    from prior_bench.store.store import Store

    store, shared = Store(root), np.random.default_rng(0)
    target = (shared.random((images, len(CLASSES))) < 0.4).astype(float)
    common = shared.normal(size=target.shape)
    for row in range(rows):
        for seed in range(seeds):
            own = np.random.default_rng([row, seed]).normal(size=target.shape)
            score = 1 / (1 + np.exp(-((1 + row / rows) * target + common + 0.5 * own)))
            found = {
                "id": np.array([f"i{n:06}" for n in range(images)]),
                "patient_id": np.array([f"p{n // 2:06}" for n in range(images)]),
                "score": score,
                "target": target,
                "meta_classes": np.array(CLASSES),
                "meta_exclusive": np.array(False),
                "meta_thresholds": np.full(len(CLASSES), 0.5),
            }
            protocol = Protocol(name="demo/linear_probe", task="classification", metrics=METRICS)
            spec = dict(
                backbone=dict(name=f"row {row}", type="random"),
                task="classification",
                data=dict(name="chexpert (synthetic)", type="chexpert", root="sample:chexpert"),
                protocol=protocol.to_dict(),
                fraction=1.0,
                seed=seed,
            )
            values = evaluate(score, target, CLASSES, METRICS)
            store.save(RunRecord(f"r{row}-{seed}", "done", spec, metrics=values, synthetic=True), found)


def measure(root: Path, test: bool) -> dict:
    """Fill the table; return seconds and the process's peak memory in bytes."""
    import resource
    import time

    from prior_bench.report.tables.table import build_table, load_table
    from prior_bench.store.store import Store

    columns = ", ".join(
        f'dict(group="CheXpert", label="{m}", task="classification", data="sample:chexpert", '
        f'protocol="demo/linear_probe", metric="{m}")'
        for m in METRICS
    )
    config = root.parent / "table.py"
    config.write_text(f"columns = [{columns}]\n")
    table = load_table(str(config))
    begun = time.process_time()
    filled = build_table(table, [Store(root)], test=test)
    spent = time.process_time() - begun
    assert all(cell.values for row in filled.rows for cell in row.cells)
    return {"seconds": spent, "bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[6, 12, 24, 48])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(Path(args.one[0]), args.one[1] == "tests")))
        return
    print("| rows | seeds | without tests, s | with tests, s | peak, MiB |\n|--:|--:|--:|--:|--:|")
    points = []
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "store"
            make(root, rows, args.seeds, args.images)
            found = {}
            for kind in ("plain", "tests"):
                command = [sys.executable, "-m", "benchmarks.table_tests", "--one", str(root), kind]
                own = {**os.environ, "PRIOR_BENCH_CACHE": str(Path(folder) / "cache")}
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
                found[kind] = json.loads(done.stdout.splitlines()[-1])
        points.append((rows, found["tests"]["seconds"]))
        print(
            f"| {rows} | {args.seeds} | {found['plain']['seconds']:.2f} | {found['tests']['seconds']:.2f} "
            f"| {found['tests']['bytes'] / 2**20:.0f} |",
            flush=True,
        )
    if len(points) > 1:
        x, y = np.log(np.array(points).T)
        print(f"\nslope of the seconds with tests: {np.polyfit(x, y, 1)[0]:.2f}")


if __name__ == "__main__":
    main()
