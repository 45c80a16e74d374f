"""How features of a frozen backbone and a probe's standardisation grow: ``python -m benchmarks.features``.

Random features stand for those of a backbone, so that only writing and reading is measured. Each way runs in
a process of its own: *blocks* writes float16 features block by block, maps the file and standardises it into
a scratch file, as the probe does; *at once* keeps all as float32, which scikit-learn standardises. Prints
CPU seconds, the largest resident memory that no file backs, and slopes in log-log scale.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

BATCH = 128


def batches(rows: int, width: int, dtype: str, done: int = 0):
    """Yield batches of features, the same at each call; noise is drawn once, because drawing it is slow."""
    noise = np.random.default_rng(0).normal(size=(BATCH + 97, width)).astype(np.float32)
    for start in range(done, rows, BATCH):
        shift = start // BATCH % 97
        yield noise[shift : shift + min(BATCH, rows - start)].astype(dtype)


class Resident(threading.Thread):
    """Looks every 20 ms at the resident memory of this process that no file backs."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak = self.start_bytes = self.now()

    @staticmethod
    def now() -> int:
        """Bytes."""
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon"))

    def run(self) -> None:
        while True:
            self.peak = max(self.peak, self.now())
            time.sleep(0.02)


def in_blocks(folder: Path, rows: int, width: int) -> None:
    """Write, map and standardise block by block."""
    from prior_bench.features.blocks import write_blocks
    from prior_bench.features.cache import BLOCK, _read
    from prior_bench.probing.standardised import fit_scaler, standardised

    path = folder / "features.safetensors"

    def computed(done: int):
        return batches(rows, width, "float16", done)

    write_blocks(path, rows, computed, {"source": ""}, dtype="float16", block=BLOCK)
    features = _read(path, "", "float16", rows)
    assert features is not None and features.shape == (rows, width)
    standardised(fit_scaler(features), features, folder / "scratch")


def at_once(folder: Path, rows: int, width: int) -> None:
    """List batches, concatenate and standardise."""
    from sklearn.preprocessing import StandardScaler

    features = np.concatenate(list(batches(rows, width, "float32")))
    StandardScaler().fit_transform(features)


WAYS = {"blocks": in_blocks, "at once": at_once}


def one(way: str, folder: Path, rows: int, width: int) -> None:
    """Measure one way in this process, and print it as JSON."""
    import torch  # noqa: F401  # imports are not what is measured

    import prior_bench.features.cache
    import prior_bench.probing.standardised  # noqa: F401

    watched = Resident()
    watched.start()
    begun = time.process_time()
    WAYS[way](folder, rows, width)
    print(json.dumps([time.process_time() - begun, watched.peak - watched.start_bytes]))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[62_500, 250_000, 1_000_000])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--whole", type=int, default=250_000, help="most rows that are kept at once")
    parser.add_argument("--folder", type=Path, help="where files are written; by default the system's")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.one:
        one(args.one[0], Path(args.one[1]), int(args.one[2]), args.width)
        return
    print(f"| features x {args.width} | blocks, s | MiB | at once, s | MiB | float32 features, MiB |")
    print("|--:|--:|--:|--:|--:|--:|")
    seconds = []
    for rows in args.rows:
        cells = []
        for way in WAYS:
            if way == "at once" and rows > args.whole:
                cells.append("- | -")
                continue
            with tempfile.TemporaryDirectory(dir=args.folder) as folder:
                command = [sys.executable, "-m", "benchmarks.features", "--width", str(args.width)]
                command += ["--one", way, folder, str(rows)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            spent, peak = json.loads(done.stdout.splitlines()[-1])
            cells.append(f"{spent:.2f} | {peak / 2**20:,.0f}")
            if way == "blocks":
                seconds.append(spent)
        print(f"| {rows:,} | {' | '.join(cells)} | {4 * rows * args.width / 2**20:,.0f} |", flush=True)
    if len(seconds) > 1:
        print(f"\nslope of blocks: {np.polyfit(np.log(args.rows), np.log(seconds), 1)[0]:.2f}")


if __name__ == "__main__":
    main()
