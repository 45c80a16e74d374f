"""Commands whose folders may not be written to: ``python permissions.py FOLDER FIRST COUNT``.

A folder (results, cache, data, that of the output, the working folder) is a file, a link into nothing, on a
disk that is mounted read-only, without permissions, or vanishes while the command runs. The command gives one
message with a remedy, or does not need the folder; without a cache it goes on, with the same numbers.
"""

from __future__ import annotations

import ctypes
import functools
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import forked
from disk import CLONE_NEWNS, MS_PRIVATE, MS_REC, may_mount
from kills import as_forks
from seeds import Attempt, Tried, campaign
from world import World, fresh, numbers, roots, strays

MS_READ_ONLY, MS_REMOUNT, MS_BIND = 1, 32, 4096
FOLDERS = ("results", "cache", "data", "output", "working")
WAYS = ("file", "dangling link", "below a file", "no permissions", "no writing", "vanishes", "read-only")
MAKES_CACHE = ("data prepare", "data cache")
"""Commands that are there to fill the cache; all others go on without it."""


def commands(world: World, here: Path) -> dict[str, list[str]]:
    """Return the commands by name."""
    known, table = world.commands(here), str(world.table)
    output = here / "output"
    own = dict(known)
    own["report"] = ["report", str(world.fake), "--output", str(output / "report.html")]
    own["results export"] = ["results", "export", "tiny", "--output", str(output / "all.zip")]
    own["results import"] = ["results", "import", str(here / "all.zip"), "--suite", "other"]
    own["real run"] = ["run", str(world.suite), "--only", "backbone=Random", "--only", "seed=0"]
    own["embed"] = ["embed", f"random:{world.config}", "--data", table, "-o", str(output / "e.npz")]
    own["data sample"] = ["data", "sample"]
    return own


def spoil(place: Path, way: str) -> Callable[[], None]:
    """Make a folder unusable; return what is still to be done in the process of the command."""
    if way == "file":
        shutil.rmtree(place)
        place.write_text("in the way")
    elif way in ("dangling link", "below a file"):
        shutil.rmtree(place)
        blocked = place.with_name("blocked")
        if way == "below a file":
            blocked.write_text("in the way")
        place.symlink_to(blocked / "deep")
    elif way == "vanishes":
        return forked.at_change(2, functools.partial(vanish, place), place)
    elif way == "read-only":
        return functools.partial(mount_read_only, place)
    else:
        place.chmod(0 if way == "no permissions" else 0o555)
        return drop_capabilities
    return lambda: None


def vanish(place: Path, path: str) -> None:
    """Put a file in the place of a folder."""
    shutil.rmtree(place, ignore_errors=True)
    place.write_text("in the way")


def mount_read_only(place: Path) -> None:
    """Let a folder be on a read-only disk, for this process and its children alone."""
    libc, name = ctypes.CDLL(None, use_errno=True), os.fsencode(place)
    steps = (
        lambda: libc.unshare(CLONE_NEWNS),
        lambda: libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
        lambda: libc.mount(name, name, None, MS_BIND, None),
        lambda: libc.mount(name, name, None, MS_BIND | MS_REMOUNT | MS_READ_ONLY, None),
    )
    for step in steps:
        if step():
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def drop_capabilities() -> None:
    """Let permissions count for root, too; see capset(2)."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def leave(place: Path) -> None:
    """Stay in a folder that is removed."""
    place.mkdir()
    os.chdir(place)
    place.rmdir()


class Permissions:
    """The campaign: commands, folders and ways; a seed chooses one of each."""

    def __init__(self, folder: Path):
        self.world = forked.warm(folder)
        self.here = fresh(folder / "here")
        self.commands = commands(self.world, self.here)
        for place in ("results", "cache", "data", "output"):
            (self.here / place).mkdir(exist_ok=True)
        self.run("run")
        self.run("results export")
        os.rename(self.here / "output/all.zip", self.here / "all.zip")
        self.start = fresh(folder / "start", self.here)
        self.whole = {}
        for name in ("run", "real run", "eval"):
            fresh(self.here, self.start)
            self.run(name)
            self.whole[name] = self.numbers()
        ways = WAYS if may_mount() else WAYS[:-1]
        self.cases = [(name, place, way) for name in self.commands for place in FOLDERS[:-1] for way in ways]
        self.cases += [(name, "working", "vanishes") for name in self.commands]
        random.Random(0).shuffle(self.cases)

    def run(self, name: str, before: Callable[[], None] | None = None) -> forked.Ended:
        """Run a command."""
        return forked.run(self.commands[name], self.here, roots(self.here), as_forks(before), limit=120)

    def numbers(self) -> list[dict]:
        """Return what is stored, by suite."""
        return [numbers(self.here / "results" / suite) for suite in ("tiny", "eval")]

    def attempt(self, seed: int) -> Tried:
        """Spoil one folder for one command."""
        name, folder, way = self.cases[seed % len(self.cases)]
        fresh(self.here, self.start)
        before = functools.partial(leave, self.here / "gone")
        if folder != "working":
            before = spoil(self.here / folder, way)
        ended = self.run(name, before)
        if way in ("no permissions", "no writing") and folder != "working":
            (self.here / folder).chmod(0o755)
        wrong = []
        if ended.fault or ended.code not in (0, 1) or (ended.code and not ended.one_message):
            wrong.append(f"ends with {ended.code}: {ended.err[-1500:]}")
        if folder == "cache" and name not in MAKES_CACHE:
            if ended.code or (name in self.whole and self.numbers() != self.whole[name]):
                wrong.append(f"does not do without a cache: {ended.code} {ended.err[-1500:]}")
        if left := strays(self.here):
            wrong.append(f"left behind: {left}")
        if any(value[0] != "done" for store in self.numbers() for value in store.values()):
            wrong.append("a run is recorded as failed")
        return Tried(ended.code != 0, [f"{name}, {folder}: {way}: {text}" for text in wrong])


def prepare(folder: Path) -> Attempt:
    """Run the commands undisturbed."""
    return Permissions(folder).attempt


if __name__ == "__main__":
    campaign("folders that may not be written to", prepare)
