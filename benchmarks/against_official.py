"""The papers' released code against ours: ``python -m benchmarks.against_official protocols`` or ``losses``.

``protocols``: both sides run from files to the metric on the same synthetic data (the sample benchmark in the
layouts of CheXpert, RSNA and SIIM-ACR) with the same weights, once for each seed. How to get the checkouts,
and what was found: ``docs/protocols/end_to_end.md``.

``losses``: both sides compute the same losses on the same tensors and weights, first checked, then timed
(``benchmarks/official/losses.py``); set OMP_NUM_THREADS=1 to time one thread.

Official code is imported from a checkout and never changed; ``benchmarks/official`` drives it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.official import losses_command
from benchmarks.official.comparisons import COMPARISONS
from benchmarks.official.difference import line, table
from benchmarks.official.job import Job
from benchmarks.official.layouts import copied
from benchmarks.official.weights import KINDS, write_weights

SIDES = ("official", "ours")
"""In this order: the official side writes lists and prompts that ours reads."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    protocols = commands.add_parser("protocols", help="protocols, from files to the metric")
    losses = commands.add_parser("losses", help="losses and their gradients, after the encoders")
    names_of = {"protocols": _checkouts(), "losses": list(losses_command.CASES)}
    for command in (protocols, losses):
        command.add_argument(
            "--checkout",
            action="append",
            default=[],
            metavar="NAME=FOLDER",
            help="an official repository; NAME is one of "
            f"{', '.join(names_of[command.prog.split()[-1]])}; repeatable",
        )
    losses_command.add_options(losses)
    protocols.add_argument(
        "--site",
        type=Path,
        action="append",
        default=[],
        metavar="FOLDER",
        help="folder of packages for the official code alone (pip install --target); repeatable",
    )
    protocols.add_argument(
        "--only", nargs="+", choices=list(COMPARISONS), help="by default, all whose checkout is given"
    )
    protocols.add_argument("--weights", nargs="+", choices=KINDS, default=list(KINDS))
    protocols.add_argument("--seeds", type=int, default=5)
    protocols.add_argument("--keep", type=Path, help="folder for the runs; what is there does not run again")
    args = parser.parse_args(arguments)
    checkouts = _given(args.checkout, names_of[args.command], parser)
    if args.command == "losses":
        if not checkouts:
            parser.error(_wanted(names_of["losses"]))
        losses_command.run(checkouts, args)
        return
    names = args.only or [name for name, one in COMPARISONS.items() if one.checkout in checkouts]
    missing = sorted({COMPARISONS[name].checkout for name in names} - checkouts.keys())
    if missing or not names:
        parser.error(_wanted(missing or _checkouts()))
    with tempfile.TemporaryDirectory() as scratch:
        keep = (args.keep or Path(scratch)).resolve()
        for kind in args.weights:
            write_weights(kind, keep / "weights" / kind)
        lines = []
        for name in names:
            lines += compared(name, checkouts, args.site, args.weights, args.seeds, keep)
        print(table(lines))


def compared(
    name: str, checkouts: dict[str, Path], sites: list[Path], kinds: list[str], seeds: int, keep: Path
) -> list[tuple[str, ...]]:
    """Run both sides of a comparison; return its lines of the table."""
    comparison = COMPARISONS[name]
    data = keep / "data" / name
    if comparison.data:
        copied(comparison.data, data / comparison.folder)
    found = {}
    for side in SIDES:
        folder = keep / "runs" / name / side
        job = Job(
            name,
            side,
            data,
            keep / "weights",
            folder,
            tuple(kinds),
            tuple(range(seeds)),
            tuple(site.resolve() for site in sites),
            checkouts[comparison.checkout],
        )
        found[side] = _values(job)
    return [
        line(
            comparison.protocol,
            name,
            kind,
            comparison.metric,
            *(found[side][kind] for side in SIDES),
            paired=comparison.paired,
        )
        for kind in kinds
    ]


def _values(job: Job) -> dict[str, list[float]]:
    """Run a job in its own process, unless its values are known; return those of each kind of weights."""
    file = job.folder / "job.json"
    if file.exists() and replace(Job.read(file), kinds=job.kinds) != job:
        shutil.rmtree(job.folder)
    job.folder.mkdir(parents=True, exist_ok=True)
    if missing := tuple(kind for kind in job.kinds if not job.values_file(kind).exists()):
        replace(job, kinds=missing).write(file)
        print(f"{job.comparison}: {job.side}", file=sys.stderr, flush=True)
        start(file, job.folder / "log.txt")
    return {kind: json.loads(job.values_file(kind).read_text()) for kind in job.kinds}


def start(file: Path, log: Path) -> None:
    """Run the job of a file in a process of its own, whose output goes to ``log``."""
    with log.open("w") as output:
        ended = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.official.run", str(file)],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "TQDM_DISABLE": "1", "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if ended.returncode:
        last = "\n".join(log.read_text().splitlines()[-15:])
        raise SystemExit(f"{file} failed; the end of its output:\n{last}")


def _checkouts() -> list[str]:
    return sorted({comparison.checkout for comparison in COMPARISONS.values()})


def _wanted(names: list[str]) -> str:
    return f"give {' '.join(f'--checkout {name}=FOLDER' for name in names)}"


def _given(texts: list[str], known: list[str], parser: argparse.ArgumentParser) -> dict[str, Path]:
    """The checkouts by name."""
    found = {}
    for text in texts:
        name, _, folder = text.partition("=")
        if name not in known:
            parser.error(f"--checkout {text}: the name must be one of {', '.join(known)}")
        if not Path(folder).is_dir() or not folder:
            parser.error(f"--checkout {text}: no such folder")
        found[name] = Path(folder).resolve()
    return found


if __name__ == "__main__":
    main()
