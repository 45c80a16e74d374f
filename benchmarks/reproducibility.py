"""Do the numbers of a table depend on jobs, threads and processor? ``python -m benchmarks.reproducibility``.

Runs a suite from nothing under several conditions, one after the other. It prints by how much each number
of its table differs from that under the first condition. Each run takes as long as ``prior-bench run SUITE``;
``--only`` runs a part, as there. Two jobs differ from one only if there are at least two backbones.

``AVX2`` makes a processor with AVX-512 compute like one without it: torch's own kernels, oneDNN and MKL. It
stands for another machine of the same kind. The processor's own capability is printed first: if that is AVX2,
the condition changes nothing. ``no AVX`` is an older processor, which has neither.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import torch

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
NO_AVX = {
    "ATEN_CPU_CAPABILITY": "default",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
}
CONDITIONS: dict[str, tuple[list[str], dict[str, str]]] = {
    "two jobs": (["--jobs", "2"], {}),
    "the same again": (["--jobs", "2"], {}),
    "one job": (["--jobs", "1"], {}),
    "AVX2": (["--jobs", "2"], AVX2),
    "no AVX": (["--jobs", "2"], NO_AVX),
    "two threads": (["--jobs", "1", "--threads", "2"], {}),
}
"""Arguments of ``run`` and environment of each condition; the first is what the others are compared with."""


def main() -> None:
    """Run all conditions and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--suite", default="demo")
    parser.add_argument("--only", action="append", default=[], metavar="FIELD=VALUE")
    parser.add_argument("--conditions", nargs="+", choices=list(CONDITIONS), default=list(CONDITIONS))
    parser.add_argument(
        "--keep", type=Path, help="folder for the results; an interrupted run continues there"
    )
    args = parser.parse_args()
    print(f"vector instructions of this processor: {torch.backends.cpu.get_cpu_capability()}\n")
    with tempfile.TemporaryDirectory() as scratch:
        root = args.keep or Path(scratch)
        frames = {name: numbers(args.suite, args.only, name, root) for name in args.conditions}
    print(compared(frames).to_markdown(index=False, floatfmt=".3g"))


def numbers(suite: str, only: list[str], name: str, root: Path) -> pd.DataFrame:
    """Run the suite under a condition; return the table's numbers in its units, one line for each cell."""
    import prior_bench as pb

    options, environment = CONDITIONS[name]
    with _environment({"PRIOR_BENCH_RESULTS": str(root / name.replace(" ", "_")), **environment}):
        command = [sys.executable, "-m", "prior_bench", "run", suite, *options]
        print(f"{name}: {' '.join(command[2:])}", file=sys.stderr, flush=True)
        subprocess.run(
            [*command, *(part for one in only for part in ("--only", one))], check=True, stdout=sys.stderr
        )
        return pb.table(suite).frame()


def compared(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One line for each column of the table: the largest difference of any row to the first condition."""
    first, *others = list(frames)
    by_cell = {name: frame.set_index(["group", "label", "backbone"]) for name, frame in frames.items()}
    lines = []
    for (group, label), cells in by_cell[first].groupby(level=["group", "label"], sort=False):
        cells = cells.dropna(subset=["mean"])
        if cells.empty:
            continue
        line: dict[str, object] = {"column": f"{group}: {label}", "rows": len(cells)}
        for name in others:
            other = by_cell[name].loc[cells.index, "mean"]
            line[name] = float((other - cells["mean"]).abs().max(skipna=False))
        lines.append(line)
    return pd.DataFrame(lines)


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


if __name__ == "__main__":
    main()
