"""How opening a data set of the size of MIMIC-CXR grows: ``python -m benchmarks.metadata``.

Makes a data set of each number of images, with 0.6 studies an image and a report a study, but without image
files, and stores its prepared index. Each step then runs in a process of its own that opens the data set from
the index first: *open* alone, the *fingerprint* of the whole and of its three splits, once and again, the
*pairs* of pre-training, and a *tokenizer* on 20,000 reports at most. Prints CPU seconds, the peak memory of
the process beyond that of its imports, and slopes in log-log scale: 1 is proportional to the images.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

KIND = "mimic_cxr"
STUDIES = 227_827 / 377_110
"""Studies of an image, as in MIMIC-CXR."""
SENTENCES, WORDS = 6, 10
"""**Assumed** length of a report: sentences, and words of each."""
POOL = 20_000
"""Distinct sentences."""
CORPUS = 20_000
"""Most reports that a tokenizer is trained on; its training grows with the text, whoever reads it."""


def table_of(images: int) -> pd.DataFrame:
    """Return a table as the reader of MIMIC-CXR makes it, with random labels and sentences."""
    random = np.random.default_rng(0)
    words = np.array([f"w{number:04}" for number in range(2000)])
    drawn = words[random.integers(0, len(words), (POOL, WORDS))]
    pool = [" ".join(sentence).capitalize() + "." for sentence in drawn.tolist()]
    studies = max(1, round(images * STUDIES))
    reports = [tuple(pool[n] for n in row) for row in random.integers(0, POOL, (studies, SENTENCES)).tolist()]
    study = np.sort(random.integers(0, studies, images))
    patient = 10_000_000 + study // 4
    ids = [f"{a:08x}-{b:08x}-{n:08x}" for n, (a, b) in enumerate(random.integers(0, 2**32, (images, 2)))]
    names = pd.DataFrame({"patient": patient.astype(str), "study": (50_000_000 + study).astype(str)})
    folder = "files/p" + names["patient"].str[:2] + "/p" + names["patient"] + "/s" + names["study"]
    split = np.array(["train", "valid", "test"])[random.choice(3, images, p=(0.97, 0.01, 0.02))]
    return pd.DataFrame(
        {
            "id": ids,
            "patient_id": names["patient"],
            "study_id": names["study"],
            "image": folder + "/" + pd.Series(ids) + ".jpg",
            "view": np.array(["AP", "PA"])[random.integers(0, 2, images)],
            "official": split,
            "split": split,
            **{
                label: random.choice([0.0, 1.0, np.nan], images).astype(np.float32)
                for label in ("Atelectasis", "Edema")
            },
            "report": pd.Series([reports[n] for n in study], dtype=object),
        }
    )


def prepare(root: Path, images: int) -> None:
    """Store the index of a data set."""
    from prior_bench.data.manifest import Manifest
    from prior_bench.data.prepared import index

    root.mkdir()
    manifest = Manifest(KIND, root, table_of(images), labels=("Atelectasis", "Edema"))
    begun = time.process_time()
    place = index.save(manifest, KIND, root, "default", {})
    report(begun, {"file": place.stat().st_size})


def opened(root: Path) -> Any:
    """Open a data set from its index."""
    from prior_bench.data.prepared import index

    manifest = index.load(KIND, root, "default", {})
    assert manifest is not None, "the index is there"
    return manifest


def open_alone(root: Path) -> None:
    begun = time.process_time()
    opened(root)
    report(begun)


def fingerprint(root: Path) -> None:
    manifest = opened(root)

    def all_parts() -> None:
        for part in (manifest, *map(manifest.split, ("train", "valid", "test"))):
            part.fingerprint()

    begun = time.process_time()
    all_parts()
    first = time.process_time() - begun
    again = time.process_time()
    all_parts()
    report(begun, {"seconds": first, "again": time.process_time() - again})


def pairs(root: Path) -> None:
    from prior_bench.pretraining.config import Data
    from prior_bench.pretraining.dataset import read_pairs

    manifest = opened(root)
    begun = time.process_time()
    found = read_pairs(Data(dataset=KIND), manifest)
    spent = {"seconds": time.process_time() - begun}
    assert len(found.pairs) > 0.5 * STUDIES * len(manifest)
    report(begun, spent)


def tokenizer(root: Path) -> None:
    from prior_bench.encoders.tokenizer import ReportTokenizer

    corpus = list(opened(root).table["report"].iloc[:CORPUS])
    begun = time.process_time()
    ReportTokenizer.train(corpus, 8000)
    report(begun)


STEPS: dict[str, Callable[[Path], None]] = {
    "open": open_alone,
    "fingerprint": fingerprint,
    "pairs": pairs,
    "tokenizer": tokenizer,
}
"""What is measured, by name."""


def report(begun: float, values: dict[str, float] | None = None) -> None:
    """Print what one process measured, as JSON."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"seconds": time.process_time() - begun, "bytes": peak, **(values or {})}))


def in_own_process(folder: Path, step: str, images: int) -> dict[str, float]:
    """Run one step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.metadata", "--one", str(folder / "data"), step, str(images)]
    own = {**os.environ, "PRIOR_BENCH_CACHE": str(folder / "cache")}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def one(root: Path, step: str, images: int) -> None:
    """Do one step in this process."""
    import prior_bench.data.prepared.index
    import prior_bench.encoders.tokenizer
    import prior_bench.pretraining.dataset  # noqa: F401  # imports are not what is measured

    if step == "imports":
        report(time.process_time())
    elif step == "prepare":
        prepare(root, images)
    else:
        STEPS[step](root)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[62_500, 250_000, 1_000_000])
    parser.add_argument("--steps", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.one:
        one(Path(args.one[0]), args.one[1], int(args.one[2]))
        return
    columns = ["prepare", *args.steps]
    heads = " | ".join(f"{step}, s | MiB" for step in columns)
    print(f"| images | index, MiB | {heads} | fingerprints again, s |")
    print("|--:" * (3 + 2 * len(columns)) + "|")
    seconds: dict[str, list[float]] = {step: [] for step in columns}
    for images in args.images:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            base = in_own_process(folder, "imports", images)["bytes"]
            found = {step: in_own_process(folder, step, images) for step in columns}
        for step, values in found.items():
            seconds[step].append(values["seconds"])
        cells = " | ".join(
            f"{values['seconds']:.2f} | {max(0, values['bytes'] - base) / 2**20:.0f}"
            for values in found.values()
        )
        again = found.get("fingerprint", {}).get("again", float("nan"))
        print(f"| {images:,} | {found['prepare']['file'] / 2**20:.0f} | {cells} | {again:.2f} |", flush=True)
    if len(args.images) > 1:
        slopes = {s: np.polyfit(np.log(args.images), np.log(v), 1)[0] for s, v in seconds.items()}
        print(f"\nslopes: {', '.join(f'{step} {slope:.2f}' for step, slope in slopes.items())}")


if __name__ == "__main__":
    main()
