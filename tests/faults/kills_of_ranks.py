"""Kill a training of two processes again and again: ``python kills_of_ranks.py FOLDER FIRST COUNT``.

A seed kills both processes or one of them, up to three times: after a time, or just before the first process
changes the disk, where states are written. A process whose partner is killed ends by itself, with one
message. The same command always goes on from the last state, within an epoch if need be. In the end, the
weights are bit for bit those of an undisturbed training, and nothing unfinished is left.
"""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import forked
from seeds import Attempt, Tried, campaign
from world import fresh, roots, strays

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))
from ranks import free_port, of_torchrun  # noqa: E402

CHANGES = (
    *("batch_size=4", "schedule.epochs=3", "save_every=0s"),
    "data.transform={'RandomAffine': {'degrees': 5}}",
)
"""Changes of the world's config: three epochs of three steps, and a state after each step."""
KILLS = 3
"""Kills of a seed at most; the first and every further one is followed by the same command."""
START, LIMIT = 60.0, 150.0
"""Seconds in which processes must have met, in place of a quarter of an hour; and in which a process must
have ended, also one that has lost its partner, or that never met it."""


def meeting_soon(prepare: Callable[[], object] | None) -> Callable[[], object]:
    """Return what a process does first: wait for its partner for START at most, and ``prepare``."""

    def first() -> None:
        from prior_bench.pretraining import processes

        processes.START = timedelta(seconds=START)
        if prepare:
            prepare()

    return first


class Campaign:
    """A training of two processes, run undisturbed; and the folder in which it is killed."""

    def __init__(self, folder: Path):
        world = forked.warm(folder, ["pretrain"])
        self.here = folder / "here"
        changes = [word for change in CHANGES for word in ("--set", change)]
        self.command = [*world.commands(fresh(self.here))["pretrain"], "--work-dir", "run", *changes]
        note = folder / "changes"
        counted = self.train(prepare=forked.counted_changes(note, self.here / "run"))
        self.require(counted)
        self.changes = note.stat().st_size
        fresh(self.here)
        again = self.train()
        self.require(again)
        self.seconds = min(one.seconds for one in again)
        self.weights, self.files = self.found()

    def require(self, ended: list[forked.Ended]) -> None:
        """Raise an error unless an undisturbed training ended well."""
        if any(one.code for one in ended):
            raise RuntimeError(f"fails undisturbed: {[one.err for one in ended]}")

    def found(self) -> tuple[bytes, list[str]]:
        """Return the weights' file, and the names of all files beside it."""
        folder = self.here / "run"
        files = sorted(path.name for path in folder.rglob("*") if path.name != ".lock")
        return (folder / "model.safetensors").read_bytes(), files

    def train(self, victims=(), after=0.0, prepare=None) -> list[forked.Ended]:
        """Train in two processes; kill some of them after a time."""
        port = free_port()
        children = [
            forked.start(
                self.command,
                self.here,
                {**roots(self.here), **of_torchrun(rank, 2, port)},
                meeting_soon(prepare if rank == 0 else None),
            )
            for rank in range(2)
        ]
        ended: dict[int, forked.Ended] = {}
        for rank in sorted(range(2), key=lambda rank: rank not in victims):  # the killed ones end first
            stop = (after, signal.SIGKILL) if rank in victims else None
            ended[rank] = forked.finish(children[rank], stop, LIMIT)
        return [ended[rank] for rank in range(2)]

    def kill(self, seed: int) -> Tried:
        """Kill a training some times, and let it end."""
        luck, wrong = random.Random(seed), []
        fresh(self.here)
        for number in range(KILLS):
            if luck.random() < 0.3:
                victims: tuple[int, ...] = (0,)
                at = 1 + luck.randrange(self.changes)
                ended = self.train(prepare=forked.at_change(at, forked.kill_here, self.here / "run"))
            else:
                victims = luck.choice([(0, 1), (0,), (1,)])
                ended = self.train(victims, luck.uniform(0.1, 1.0) * self.seconds)
            if all(one.code == 0 for one in ended):
                break
            for rank, one in enumerate(ended):
                killed = one.code == -signal.SIGKILL and rank in victims
                if not (killed or one.code == 0 or one.one_message) or one.fault:
                    wrong.append(f"kill {number}: process {rank} ends with {one.code}: {one.err[-1500:]}")
        ended = self.train()
        if any(one.code or "error" in one.err for one in ended):
            wrong.append(f"in the end: {[(one.code, one.err[-1500:]) for one in ended]}")
            return Tried(False, wrong)
        weights, files = self.found()
        if weights != self.weights:
            wrong.append("other weights than undisturbed")
        if files != self.files:
            wrong.append(f"other files than undisturbed: {sorted(set(files) ^ set(self.files))}")
        if left := strays(self.here):
            wrong.append(f"left behind: {left}")
        return Tried(False, wrong)


def prepare(folder: Path) -> Attempt:
    """Train undisturbed."""
    return Campaign(folder).kill


if __name__ == "__main__":
    campaign("kills of one or both of two processes", prepare)
