"""Commands on a full disk: ``python disk.py FOLDER FIRST COUNT``.

Three ways of being full: a limit of file sizes (RLIMIT_FSIZE), a disk of a few kilobytes (a tmpfs, where the
system lets the test mount one), and an error of the system at one of the changes of the disk. A command gives
one message with path, bytes needed and bytes free, or ends well without its cache; what is visible is whole;
records that were there are kept, no run is recorded as failed; with room again, the same command ends well.
"""

from __future__ import annotations

import ctypes
import json
import os
import random
import re
import resource
from pathlib import Path

import forked
from kills import Campaign, Kind, halves, outcome
from seeds import Attempt, Tried, campaign
from world import finished, fresh, strays

CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14
"""See unshare(2) and mount(2)."""


def may_mount() -> bool:
    """Whether a process here may mount a disk of its own that no other process sees."""
    child = os.fork()
    if not child:
        try:
            small_disk(Path("/tmp"), 64)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def small_disk(folder: Path, kilobytes: int) -> None:
    """Mount a small tmpfs at ``folder`` with what was in it, for this process and its children alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = {path.relative_to(folder): path for path in folder.rglob("*")} if folder != Path("/tmp") else {}
    kept = {name: path.read_bytes() if path.is_file() else None for name, path in before.items()}
    steps = (
        lambda: libc.unshare(CLONE_NEWNS),
        lambda: libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None),
        lambda: libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, f"size={kilobytes}k".encode()),
    )
    for step in steps:
        if step():
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    for name, content in sorted(kept.items()):
        (folder / name).mkdir() if content is None else (folder / name).write_bytes(content)


def limited(size: int) -> None:
    """Let no file of this process grow above ``size`` bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def names_room(ended: forked.Ended) -> bool:
    """Whether the message has path, bytes needed and bytes free."""
    return bool(re.search(r"error: \S+: cannot be written: .*\(needed: .*, free: ", ended.err))


class Disk:
    """The campaign: commands, each undisturbed once, and ways of being full."""

    def __init__(self, folder: Path, names: list[str] | None = None):
        self.campaign = Campaign(folder, names)
        self.here = self.campaign.here
        self.ways = ["limit", "change", *(["mount"] if may_mount() else [])]

    def fill(self, kind: Kind, way: str, luck: random.Random) -> forked.Ended:
        """Run a command where the disk is, or becomes, full."""
        fresh(self.here, kind.start)
        if way == "change":
            number = luck.randrange(1, kind.changes + 1)
            before = forked.at_change(number, forked.full_here, self.here)
        elif way == "limit":
            size = int(10 ** luck.uniform(0, 5))
            before = lambda: limited(size)  # noqa: E731
        else:
            (self.here / "data/fake").mkdir(parents=True, exist_ok=True)
            for name in ("results", "cache"):
                (self.here / name).mkdir(exist_ok=True)
            used = sum(path.stat().st_size // 1024 + 4 for path in (self.here / "results").rglob("*"))
            kilobytes = used + int(10 ** luck.uniform(0.7, 2.2))
            before = lambda: small_disk(self.here / "results", kilobytes)  # noqa: E731
        return self.campaign.run(self.here, kind.arguments, before)

    def attempt(self, seed: int) -> Tried:
        """Fill the disk once."""
        kinds = self.campaign.kinds
        kind, luck = kinds[seed % len(kinds)], random.Random(seed)
        way = self.ways[seed // len(kinds) % len(self.ways)]
        ended = self.fill(kind, way, luck)
        wrong = []
        if ended.fault or ended.code not in (0, 1) or "Traceback" in ended.err:
            wrong.append(f"ends with {ended.code}: {ended.err[-1500:]}")
        elif ended.code == 1 and not (ended.one_message and names_room(ended)):
            wrong.append(f"says: {ended.err[-1500:]}")
        wrong += [f"half-written: {what}" for what in halves(self.here)]
        if left := strays(self.here):
            wrong.append(f"left behind: {left}")
        stores = [self.here / "results" / store for store in ("tiny", "other")]
        for store in stores:
            for record in store.glob("runs/*/record.json"):
                if json.loads(record.read_text("utf-8"))["status"] != "done":
                    wrong.append("a run is recorded as failed because the disk was full")
        before = {store: finished(store) for store in stores}
        again = self.campaign.run(self.here, kind.arguments)
        if again.code or again.fault or outcome(self.here) != kind.outcome:
            wrong.append(f"with room again it ends with {again.code}: {again.err[-800:]}")
        lost = [
            f"{store.name}/{name}"
            for store, files in before.items()
            for name, content in files.items()
            if finished(store).get(name) != content
        ]
        what = f"{kind.name}, {way}"
        return Tried(
            ended.code != 0, [f"{what}: {text}" for text in wrong], [f"{what}: {name}" for name in lost]
        )


def prepare(folder: Path, names: list[str] | None = None) -> Attempt:
    """Run the commands undisturbed."""
    return Disk(folder, names).attempt


if __name__ == "__main__":
    campaign("full disks", prepare)
