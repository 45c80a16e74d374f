"""Run the whole campaign of malformed inputs and faults: ``python tests/fuzz/campaign.py [--write]``.

Each script runs in processes of its own, in parts of a stated number of seeds, each with a time limit.
Finished parts are kept in ``--folder``, so that the same command continues where it stopped. They belong to
one state of the code: after a change, name another folder. The outcome is the table of docs/reliability.md;
``--write`` puts it there. ``make campaign`` runs all and writes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs/reliability.md"
START, END = "<!-- campaign: begin -->", "<!-- campaign: end -->"
FOLDERS = re.compile(r"(?<![\w.])/(?:[\w.+-]+/)+")
"""Folders of this machine in a message, which are nobody else's business."""
COUNTS = ("tried", "refused", "survived", "unknowable")
"""Numbers of seeds, as :mod:`seeds` counts them."""
START_SECONDS, SECONDS = 120, 20
"""Seconds that the start of a script, and a seed on average, may take on a busy machine; a part that takes
longer is stopped."""


@dataclass(frozen=True)
class Attack:
    """A script of the campaign.

    Attributes:
        script: its path in ``tests``.
        count: how many seeds are tried, from 0.
        part: how many of them in one process.
        about: which part of what the script attacks; it is the script's fourth argument.
    """

    script: str
    count: int
    part: int = 50
    about: str = ""

    @property
    def name(self) -> str:
        """Script and part, as the table and the folder have it."""
        return f"{self.script} {self.about}".strip()


KILLED = (
    *("run", "run --jobs 2", "pretrain", "data prepare", "data cache", "report"),
    *("results import", "results export"),
)
"""Commands that are killed, as faults/kills.py names them."""

CAMPAIGN = (
    Attack("fuzz/checkpoint_files.py", 1000, 100),
    Attack("fuzz/mutated_images.py", 1000, 250),
    Attack("fuzz/annotation_files.py", 500, 250),
    Attack("fuzz/record_files.py", 300),
    Attack("fuzz/injections.py", 300),
    Attack("fuzz/configs.py", 500),
    *(Attack("faults/kills.py", 100, 50, command) for command in KILLED),
    Attack("faults/kills_of_ranks.py", 100),
    Attack("faults/disk.py", 100),
    Attack("faults/permissions.py", 100),
    Attack("faults/surroundings.py", 100),
)
"""The scripts and their counts. A script that is not there is named in the table."""


def run_part(attack: Attack, first: int, count: int, place: Path) -> dict:
    """Run some seeds of a script; what ends it otherwise than by its JSON line is wrong.

    Args:
        place: an empty folder; it is removed afterwards.
    """
    command = [sys.executable, str(TESTS / attack.script), str(place), str(first), str(count)]
    command += [attack.about] if attack.about else []
    own = {**os.environ, "OMP_NUM_THREADS": "1", "PRIOR_BENCH_PROGRESS": ""}
    seeds = f"seeds {first} to {first + count - 1}"
    nothing: dict = dict(kind=Path(attack.script).stem, refused=0, survived=0, unknowable=0)
    nothing |= dict(lost=[], slowest=0.0, memory=0)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    try:
        limit = START_SECONDS + SECONDS * count
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=limit, env=own
        )
        found = json.loads((done.stdout.splitlines() or [""])[-1])
        if done.returncode:
            found["wrong"].append(f"{seeds}: the process ended with status {done.returncode}")
    except subprocess.TimeoutExpired:
        found = {**nothing, "tried": count, "wrong": [f"{seeds}: stopped after {limit} s"]}
    except (ValueError, TypeError):
        said = (done.stderr or done.stdout).strip()[-2000:]
        found = {**nothing, "tried": count, "wrong": [f"{seeds}: status {done.returncode}: {said}"]}
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return found


def merged(parts: Sequence[dict]) -> dict:
    """Add up the parts of one script."""
    return {
        "kind": parts[-1]["kind"],
        **{
            name: sum(part[name] for part in parts) for name in ("tried", "refused", "survived", "unknowable")
        },
        **{name: [one for part in parts for one in part[name]] for name in ("wrong", "lost")},
        **{name: max(part[name] for part in parts) for name in ("slowest", "memory")},
    }


def parts_of(attack: Attack) -> list[tuple[int, int]]:
    """First seed and count of each part."""
    return [(first, min(attack.part, attack.count - first)) for first in range(0, attack.count, attack.part)]


def run(attacks: Sequence[Attack], folder: Path, say: Callable[[str], None]) -> dict[str, dict | None]:
    """Run what is not there yet; return the outcome of each script, None for a script that does not exist."""
    work = [(a, part) for a in attacks if (TESTS / a.script).is_file() for part in parts_of(a)]
    places = {
        (a, part): folder / re.sub("[^a-z]+", "-", a.name) / f"{part[0]}-{part[1]}.json" for a, part in work
    }
    todo = [one for one in work if not places[one].is_file()]
    begun, done, total = time.monotonic(), 0, sum(part[1] for _, part in todo)
    outcomes: dict[str, list[dict]] = {attack.name: [] for attack in attacks}
    for attack, part in work:
        place = places[attack, part]
        if not place.is_file():
            found = run_part(attack, *part, folder / "work")
            place.parent.mkdir(parents=True, exist_ok=True)
            whole = place.with_suffix(".part")
            whole.write_text(json.dumps(found), "utf-8")
            whole.replace(place)
            done += part[1]
            left = (time.monotonic() - begun) / done * (total - done)
            bad = len(found["wrong"]) + len(found["lost"])
            said = f"{done}/{total} {attack.name}, from seed {part[0]}: {bad} wrong"
            say(f"{said}; about {left / 60:.0f} min left")
        outcomes[attack.name].append(json.loads(place.read_text("utf-8")))
    return {name: merged(parts) if parts else None for name, parts in outcomes.items()}


def table(attacks: Sequence[Attack], outcomes: dict[str, dict | None]) -> str:
    """The outcomes as a Markdown table, and what was wrong below it."""
    lines = [
        "| attack or fault | seeds | tried | refused with a clear message | survived | cannot be known "
        "| wrong | lost | slowest, s | peak, GB |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    details: list[str] = []
    for attack in attacks:
        found = outcomes.get(attack.name)
        if found is None:
            lines.append(f"| `{attack.name}` is not there | – | 0 | – | – | – | – | – | – | – |")
            continue
        counts = [str(found[name]) for name in COUNTS]
        counts += [str(len(found[name])) for name in ("wrong", "lost")]
        costs = [f"{found['slowest']:.1f}", f"{found['memory'] / 1e9:.2f}"]
        seeds = f"0 to {attack.count - 1}"
        lines.append(f"| {found['kind']} (`{attack.name}`) | {seeds} | {' | '.join(counts + costs)} |")
        for one in found["wrong"] + found["lost"]:
            first = FOLDERS.sub("…/", " ".join(one.split()))[:300].replace("`", "'")
            details.append(f"- `{attack.name}`: `{first}`")
    return "\n".join(lines + ([""] + details if details else []))


def commit() -> str:
    """Return a line that says of which commit the table is; empty outside a git checkout."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=TESTS, capture_output=True, text=True, check=False
    )
    return f"Commit {done.stdout.strip()}, {time.strftime('%d %B %Y')}." if done.returncode == 0 else ""


def write_page(text: str, page: Path = PAGE) -> None:
    """Put a text between the markers of the page."""
    before, start, rest = page.read_text("utf-8").partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        sys.exit(f"{page} lacks {START} or {END}")
    page.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}", "utf-8")


def main() -> int:
    """Run the campaign; the status is 1 where something was wrong, lost or not there."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scripts", nargs="*", help="parts of the names of scripts (default: all)")
    parser.add_argument("--folder", type=Path, default=Path("cache/campaign"), help="for finished parts")
    parser.add_argument("--count", type=int, help="seeds of each script, instead of the stated ones")
    parser.add_argument("--write", action="store_true", help="put the table into docs/reliability.md")
    args = parser.parse_args()
    chosen = [a for a in CAMPAIGN if not args.scripts or any(name in a.name for name in args.scripts)]
    if args.count:
        chosen = [replace(a, count=args.count, part=min(a.part, args.count)) for a in chosen]
    if args.write and (args.scripts or args.count):
        parser.error("--write is for the whole campaign")
    args.folder.mkdir(parents=True, exist_ok=True)
    outcomes = run(chosen, args.folder.resolve(), lambda line: print(line, file=sys.stderr, flush=True))
    text = "\n\n".join(part for part in (table(chosen, outcomes), commit()) if part)
    print(text)
    if args.write:
        write_page(text)
    return int(any(found is None or found["wrong"] or found["lost"] for found in outcomes.values()))


if __name__ == "__main__":
    sys.exit(main())
