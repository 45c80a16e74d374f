"""How long the command line takes to answer: ``python -m benchmarks.startup``.

Prints the median over paired runs of some commands, relative to a bare interpreter start, and in seconds.
The table is one of published numbers alone. The evaluation is a linear probe of 60 small images whose
features are cached, with an image encoder of timm; before it stands the import of the libraries it needs.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

PRIOR_BENCH = (sys.executable, "-m", "prior_bench")
SPLITS = ("train", "valid", "test")
LIBRARIES = "import torch, torchvision, timm, sklearn.linear_model"


def commands(data: Path) -> dict[str, list[str]]:
    """The commands by their names; ``data`` is a CSV file with labelled images."""
    probe = ["eval", "classification", "--backbone", "random:resnet18", "--data", str(data)]
    probe += ["--protocol", "clean/linear_probe", "--device", "cpu", "--threads", "1", "--resamples", "100"]
    return {
        "bare interpreter": [sys.executable, "-c", "pass"],
        "prior-bench --help": [*PRIOR_BENCH, "--help"],
        "prior-bench list": [*PRIOR_BENCH, "list"],
        "prior-bench table": [*PRIOR_BENCH, "table", "mgca_linear", "--only-published"],
        "prior-bench doctor": [*PRIOR_BENCH, "doctor"],
        "import prior_bench": [sys.executable, "-c", "import prior_bench"],
        "import torch, timm, …": [sys.executable, "-c", LIBRARIES],
        "prior-bench eval": [*PRIOR_BENCH, *probe, "--overwrite", "all"],
    }


def write_data(folder: Path, images: int = 60) -> Path:
    """Write images of noise with a label that their brightness tells, and return their CSV file."""
    rng, rows = np.random.default_rng(0), ["image,patient_id,split,Edema"]
    for n in range(images):
        pixels = rng.integers(0, 128, (64, 64)) + 100 * (n % 2)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{n}.png")
        rows.append(f"{n}.png,p{n},{SPLITS[n // 2 % 3]},{n % 2}")
    (folder / "images.csv").write_text("\n".join(rows) + "\n", "utf-8")
    return folder / "images.csv"


def seconds(command: list[str], roots: dict[str, str]) -> float:
    """Wall time of one run, with the folders of the suite named by ``roots``."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **roots})
    return time.perf_counter() - start


def main(repeats: int = 7) -> None:
    """Run all commands in turn, ``repeats`` times after a first time, and print medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        roots = {
            f"PRIOR_BENCH_{kind}": str(folder / kind.lower()) for kind in ("RESULTS", "CACHE", "DATA")
        } | {"XDG_STATE_HOME": str(folder / "state")}
        found = commands(write_data(folder))
        seconds(found["prior-bench eval"], roots)  # features and facts of source files are kept
        rounds = [{key: seconds(one, roots) for key, one in found.items()} for _ in range(repeats)]
    for key in found:
        ratio = statistics.median(r[key] / r["bare interpreter"] for r in rounds)
        wall = statistics.median(r[key] for r in rounds)
        print(f"{key:22s} {wall:6.3f} s   {ratio:5.1f} x a bare interpreter")


if __name__ == "__main__":
    main()
