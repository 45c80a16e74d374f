"""Kill commands at random moments and run them again: ``python kills.py FOLDER FIRST COUNT``.

Even rounds kill after a time; the times are spread evenly over that of an undisturbed run. Odd rounds kill
just before one of the changes of the disk (a file opened for writing, a renaming, a removal, a new folder),
where most of what can go wrong goes wrong. Afterwards, whatever is visible is whole; the same command ends
well and gives what an undisturbed one gives; no finished record has changed; nothing unfinished is left.
"""

from __future__ import annotations

import gzip
import json
import multiprocessing
import random
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import forked
from seeds import Attempt, Tried, campaign
from world import World, contents, finished, fresh, numbers, roots, strays

GOLDEN = 0.6180339887498949
"""Multiples of it, modulo one, spread evenly over the unit interval, however many there are."""
STARTS = {"report": "stored", "results export": "stored", "results import": "exported"}
"""What there is before a command; nothing for most."""
STATES = (".pth", "last_checkpoint")
"""Ends of names of files that mmengine writes in place; a half one is passed over when a run resumes."""


class Kind(NamedTuple):
    """A command, and what an undisturbed run of it does.

    Attributes:
        start: folder that is copied before each run; None for an empty one.
        seconds: that it takes.
        changes: of the disk that it makes.
        files: names of all files afterwards.
        outcome: what it has found, see :func:`outcome`.
    """

    name: str
    arguments: list[str]
    start: Path | None
    seconds: float
    changes: int
    files: list[str]
    outcome: Any


def as_forks(before: Callable | None) -> Callable[[], None]:
    """Return a ``prepare`` that also makes several shards of few images, and forks of what would be spawned.

    Spawned processes would import torch again.
    """

    def prepare() -> None:
        from prior_bench.data.images.cache import build

        build.SHARD_IMAGES = 4
        original = multiprocessing.get_context
        multiprocessing.get_context = lambda kind=None: original("fork")
        if before:
            before()

    return prepare


class Campaign:
    """The commands, each run undisturbed; and the folder in which they are killed."""

    def __init__(self, folder: Path, names: list[str] | None = None):
        self.world: World = forked.warm(folder, names or ())
        self.folder, self.here = folder, folder / "here"
        commands = self.world.commands(fresh(self.here))
        commands.pop("eval")
        states: dict[str, Path | None] = {"": None}
        self.run(fresh(self.here), commands["run"])
        states["stored"] = fresh(folder / "stored", self.here)
        self.run(self.here, commands["results export"])
        states["exported"] = fresh(folder / "exported", self.here)
        chosen = names or list(commands)
        self.kinds = [self.undisturbed(name, commands[name], states[STARTS.get(name, "")]) for name in chosen]

    def run(self, folder: Path, arguments: list[str], before: Callable | None = None, **how) -> forked.Ended:
        """Run a command in a folder."""
        (folder / "data/fake").mkdir(parents=True, exist_ok=True)
        return forked.run(arguments, folder, roots(folder), as_forks(before), **how)

    def undisturbed(self, name: str, arguments: list[str], start: Path | None) -> Kind:
        """Run a command and note what it does."""
        note = self.folder / "changes"
        note.unlink(missing_ok=True)
        ended = self.run(
            fresh(self.here, start), arguments, forked.counted_changes(note, self.here), limit=300
        )
        if ended.code:
            raise RuntimeError(f"{name} fails undisturbed: {ended.err}")
        files, changes = sorted(contents(self.here)), note.stat().st_size
        found = outcome(self.here)
        seconds = self.run(fresh(self.here, start), arguments).seconds
        return Kind(name, arguments, start, seconds, changes, files, found)

    def kill(self, seed: int) -> Tried:
        """Kill one command and run it again."""
        kind, luck = self.kinds[seed % len(self.kinds)], random.Random(seed)
        round_ = seed // len(self.kinds)
        share = (round_ // 2 * GOLDEN + luck.random() / 100) % 1
        ended = None
        while ended is None or ended.code == 0:  # it ended before it could be killed: somewhat earlier
            fresh(self.here, kind.start)
            if round_ % 2:
                at = forked.at_change(1 + int(share * kind.changes), forked.kill_here, self.here)
                ended = self.run(self.here, kind.arguments, at)
            else:
                stop, whole = (share * kind.seconds, signal.SIGKILL), luck.random() < 0.5
                ended = self.run(self.here, kind.arguments, stop=stop, whole=whole)
            share *= 0.8
        wrong = [] if ended.code == -9 or ended.one_message else [f"ends with {ended.code}: {ended.err}"]
        wrong += [f"half-written: {what}" for what in halves(self.here)]
        before = {store: finished(self.here / "results" / store) for store in ("tiny", "other")}
        again = self.run(self.here, kind.arguments)
        if again.code or again.fault or "error" in again.err:
            wrong.append(f"run again it ends with {again.code}: {again.err[-1500:]}")
        if left := strays(self.here):
            wrong.append(f"left behind: {left}")
        files = sorted(contents(self.here))
        if files != kind.files and kind.name != "data cache":  # it bundles what is missing anew
            wrong.append(f"other files than undisturbed: {sorted(set(files) ^ set(kind.files))}")
        if outcome(self.here) != kind.outcome:
            wrong.append("another outcome than undisturbed")
        lost = [
            f"{store}/{name}"
            for store, files in before.items()
            for name, content in files.items()
            if finished(self.here / "results" / store).get(name) != content
        ]
        return Tried(
            False, [f"{kind.name}: {text}" for text in wrong], [f"{kind.name}: {name}" for name in lost]
        )


def outcome(folder: Path) -> list:
    """Return all that a command has found, without times: numbers, weights, indices, cached images."""
    from prior_bench.checkpoints.files import read_tensors
    from prior_bench.data.images.cache.shard import Shard

    images: dict[str, bytes] = {}
    found: list = [numbers(folder / "results" / store) for store in ("tiny", "other")]
    for path in sorted(folder.rglob("*")):
        if path.name == "model.safetensors":
            found.append({name: tensor.numpy().tobytes() for name, tensor in read_tensors(path).items()})
        elif path.parent.suffix == ".imagecache":
            shard = Shard(path) if path.suffix == ".safetensors" else None
            images |= {name: pixels.tobytes() for name, pixels in shard.stream()} if shard else {}
        elif path.suffix == ".safetensors":
            found.append(path.read_bytes())
        elif path.name.endswith(".json.gz"):
            found.append(gzip.decompress(path.read_bytes()))
        elif path.suffix == ".zip":
            found.append(sorted(zipfile.ZipFile(path).namelist()))
        elif path.name == "plan.json":
            found.append(sorted(cell["key"] for cell in json.loads(path.read_text())["runs"]))
        elif path.name == "report.html":
            found.append(path.read_text("utf-8").count("<table"))
    return [images, *found]


def halves(folder: Path) -> list[str]:
    """Return the visible files that cannot be read to their end."""
    from safetensors import safe_open

    found = []
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or not path.is_file() or path.name.endswith(STATES):
            continue
        try:
            if path.suffix == ".json":
                json.loads(path.read_text("utf-8"))
            elif path.suffix in (".npz", ".zip"):
                assert zipfile.ZipFile(path).testzip() is None
            elif path.suffix == ".gz":
                gzip.decompress(path.read_bytes())
            elif path.suffix == ".safetensors":
                with safe_open(path, framework="numpy") as file:
                    assert file.keys()
            elif path.suffix == ".html":
                assert path.read_text("utf-8").rstrip().endswith("</html>")
        except Exception as error:  # whatever its reader says of half a file
            found.append(f"{path.relative_to(folder)}: {error!r}")
    return found


def prepare(folder: Path, names: list[str] | None = None) -> Attempt:
    """Run the commands undisturbed."""
    return Campaign(folder, names).kill


if __name__ == "__main__":
    campaign("kills", prepare)
