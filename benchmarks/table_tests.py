"""How the cost of a table with tests and of a report grows: ``python -m benchmarks.table_tests``.

Makes a store of linear probes with planted scores for each number of rows, and fills a table from it with and
without tests, each in a process of its own. Prints seconds, peak memory, and the slope in log-log scale: a
slope of 1 is proportional to the number of rows, 2 to the number of pairs. ``--report`` writes the report of
each store instead, and prints its size.

``--rows 50 --seeds 25 --evaluations 10`` is a table of 12,500 runs and 20 columns.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

METRICS = ("auroc", "f1")
CLASSES = ("Edema", "Effusion")
DATA, PROTOCOL = "sample:chexpert", "demo/linear_probe"
KINDS = {"plain": "without tests", "tests": "with tests", "report": "report"}


def fractions(evaluations: int) -> list[float]:
    """The evaluations differ in their share of the labels."""
    return [(n + 1) / evaluations for n in range(evaluations)]


def make(root: Path, rows: int, seeds: int, images: int, evaluations: int = 1) -> None:
    """Write a store with ``evaluations`` linear probes of ``rows`` backbones."""
    shared = np.random.default_rng(0)
    target = (shared.random((images, len(CLASSES))) < 0.4).astype(float)
    common = shared.normal(size=target.shape)
    for n, fraction in enumerate(fractions(evaluations)):
        for row in range(rows):
            for seed in range(seeds):
                own = np.random.default_rng([row, seed, n]).normal(size=target.shape)
                score = 1 / (1 + np.exp(-((1 + row / rows) * target + common + 0.5 * own)))
                _save(root, f"r{n}-{row}-{seed}", f"row {row}", seed, fraction, score, target)


def _save(
    root: Path, key: str, name: str, seed: int, fraction: float, score: np.ndarray, target: np.ndarray
) -> None:
    from prior_bench.api import Protocol, RunRecord
    from prior_bench.metrics.classification import evaluate
    from prior_bench.store.store import Store

    images = len(score)
    found = {
        "id": np.array([f"i{n:06}" for n in range(images)]),
        "patient_id": np.array([f"p{n // 2:06}" for n in range(images)]),
        "score": score,
        "target": target,
        "meta_classes": np.array(CLASSES),
        "meta_exclusive": np.array(False),
        "meta_thresholds": np.full(len(CLASSES), 0.5),
    }
    spec = dict(
        backbone=dict(name=name, type="random"),
        task="classification",
        data=dict(name="chexpert (synthetic)", type="chexpert", root=DATA),
        protocol=Protocol(name=PROTOCOL, task="classification", metrics=METRICS).to_dict(),
        fraction=fraction,
        seed=seed,
    )
    values = evaluate(score, target, CLASSES, METRICS)
    Store(root).save(RunRecord(key, "done", spec, metrics=values, synthetic=True), found)


def write_table(path: Path, evaluations: int) -> None:
    """Write the config of the table: one column for each evaluation and metric."""
    columns = [
        f'dict(group="CheXpert, {metric}", label="{fraction:.0%}", task="classification", data="{DATA}", '
        f'protocol="{PROTOCOL}", metric="{metric}", fraction={fraction!r})'
        for fraction in fractions(evaluations)
        for metric in METRICS
    ]
    path.write_text(f"columns = [{', '.join(columns)}]\n")


def measure(root: Path, kind: str = "tests", evaluations: int = 1) -> dict:
    """Fill the table or write the report; return its CPU seconds, peak memory and size in bytes."""
    begun = time.process_time()
    size = _report(root, evaluations) if kind == "report" else _table(root, kind == "tests", evaluations)
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": spent, "bytes": peak, "size": size}


def _table(root: Path, test: bool, evaluations: int) -> int:
    from prior_bench.report.tables.table import build_table, load_table
    from prior_bench.store.store import Store

    config = root.parent / "table.py"
    write_table(config, evaluations)
    filled = build_table(load_table(str(config)), [Store(root)], test=test)
    assert all(cell.values for row in filled.rows for cell in row.cells)
    return 0


def _report(root: Path, evaluations: int) -> int:
    from prior_bench.report.html.page import build_page
    from prior_bench.store.store import Store
    from prior_bench.suites.suite import load_suite

    write_table(root.parent / "table.py", evaluations)
    suite = root.parent / "suite.py"
    suite.write_text(
        f"name = 'large'\ntable = {str(root.parent / 'table.py')!r}\nseeds = [0]\n"
        "backbones = [dict(name='row 0', type='random')]\n"
        f"evaluations = [dict(task='classification', data='{DATA}', protocol='{PROTOCOL}')]\n"
    )
    return len(build_page(load_suite(str(suite)), Store(root)).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[6, 12, 24, 48])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--evaluations", type=int, default=1, help="each has two columns")
    parser.add_argument("--report", action="store_true", help="write reports, not tables")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(Path(args.one[0]), args.one[1], args.evaluations)))
        return
    kinds = ["report"] if args.report else ["plain", "tests"]
    heads = ["rows", "seeds", "columns", *(f"{KINDS[kind]}, s" for kind in kinds), "peak, MiB", "page, MB"]
    if not args.report:
        heads.pop()
    print(f"| {' | '.join(heads)} |\n|{'--:|' * len(heads)}")
    points = []
    for rows in args.rows:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder) / "store", rows, args.seeds, args.images, args.evaluations)
            found = {kind: _in_process(Path(folder), kind, args.evaluations) for kind in kinds}
        last = found[kinds[-1]]
        points.append((rows, last["seconds"]))
        shown = [rows, args.seeds, len(METRICS) * args.evaluations]
        shown += [f"{found[kind]['seconds']:.2f}" for kind in kinds] + [f"{last['bytes'] / 2**20:.0f}"]
        shown += [f"{last['size'] / 1e6:.1f}"] if args.report else []
        print(f"| {' | '.join(map(str, shown))} |", flush=True)
    if len(points) > 1:
        x, y = np.log(np.array(points).T)
        print(f"\nslope of the seconds of the last kind: {np.polyfit(x, y, 1)[0]:.2f}")


def _in_process(folder: Path, kind: str, evaluations: int) -> dict:
    """Measure in a process of its own with one thread, and with an empty cache."""
    command = [sys.executable, "-m", "benchmarks.table_tests", "--one", str(folder / "store"), kind]
    command += ["--evaluations", str(evaluations)]
    own = {**os.environ, "PRIOR_BENCH_CACHE": str(folder / f"cache {kind}"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
