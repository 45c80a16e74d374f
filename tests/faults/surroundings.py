"""Commands in odd surroundings: ``python surroundings.py FOLDER FIRST COUNT``.

A wrong clock, files with times in the future, an output that is closed, full or of few characters, Ctrl-C and
SIGTERM at random moments, and a second process that does the same at the same time. The outcome is that of an
undisturbed run; or there is one message, and the same command, run again, has that outcome.
"""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import forked
from kills import GOLDEN, Campaign, Kind, as_forks, outcome
from seeds import Attempt, Tried, campaign
from world import fresh, roots, strays

TIMES = (-3e8, 0.0, 3e8, 3.5e9, 4.4e9, 6e9)
"""Seconds since 1970: 1960, 1970, 1979, 2080, 2109, 2160. ZIP knows 1980 to 2107, gzip 1970 to 2106."""
SAID = {signal.SIGINT: (130, "interrupted; "), signal.SIGTERM: (143, "terminated; ")}


def set_clock(seconds: float) -> None:
    """Let this process believe that it is another time."""

    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(seconds, tz)

    time.time = lambda: seconds
    for name, module in list(sys.modules.items()):
        if name.startswith("prior_bench") and vars(module).get("datetime") is datetime:
            module.datetime = Then  # type: ignore[attr-defined]


def close_output() -> None:
    """As ``>&-`` does."""
    os.close(1)
    sys.stdout = None  # type: ignore[assignment]


def full_output() -> None:
    """As a full disk under ``> file`` does."""
    os.dup2(os.open("/dev/full", os.O_WRONLY), 1)


def closed_pipe() -> None:
    """As ``| head`` does, when it has seen enough."""
    ours, theirs = os.pipe()
    os.dup2(theirs, 1)
    os.close(ours)


def few_characters() -> None:
    """As PYTHONIOENCODING=ascii does."""
    sys.stdout, sys.stderr = (io.TextIOWrapper(open(n, "wb", closefd=False), "ascii") for n in (1, 2))


OUTPUTS: dict[str, tuple[Callable[[], None], tuple[int, ...]]] = {
    "closed": (close_output, (0,)),
    "full": (full_output, (1,)),
    "closed pipe": (closed_pipe, (141,)),
    "ascii": (few_characters, (0,)),
}
"""Outputs, and the exit status with each."""


class Surroundings:
    """The campaign: commands, each undisturbed once, and the ways to disturb them."""

    def __init__(self, folder: Path, names: list[str] | None = None):
        self.campaign = Campaign(folder, names)
        self.here = self.campaign.here
        self.ways = (self.clock, self.times, self.output, self.signals, self.two)

    def attempt(self, seed: int) -> Tried:
        """Disturb one command."""
        kinds, luck = self.campaign.kinds, random.Random(seed)
        kind = kinds[seed % len(kinds)]
        way = self.ways[seed // len(kinds) % len(self.ways)]
        fresh(self.here, kind.start)
        what, code, wrong = way(kind, luck, seed // len(kinds) // len(self.ways))
        if code or way == self.two:
            again = self.campaign.run(self.here, kind.arguments)
            if again.code or again.fault:
                wrong.append(f"run again it ends with {again.code}: {again.err[-1500:]}")
        if outcome(self.here) != kind.outcome:
            wrong.append("another outcome than undisturbed")
        if left := strays(self.here):
            wrong.append(f"left behind: {left}")
        return Tried(code != 0, [f"{kind.name}, {what}: {text}" for text in wrong])

    def clock(self, kind: Kind, luck: random.Random, round_: int) -> tuple[str, int, list[str]]:
        """A clock that is decades wrong."""
        seconds = luck.choice(TIMES)
        ended = self.campaign.run(self.here, kind.arguments, lambda: set_clock(seconds))
        return f"clock at {seconds}", ended.code, said_wrong(ended, (0,))

    def times(self, kind: Kind, luck: random.Random, round_: int) -> tuple[str, int, list[str]]:
        """Files of other times than the clock's, as after copying from a machine with a wrong one."""
        for path in [self.here, *self.here.rglob("*")]:
            seconds = luck.choice(TIMES)
            os.utime(path, (seconds, seconds))
        ended = self.campaign.run(self.here, kind.arguments)
        return "files of other times", ended.code, said_wrong(ended, (0,))

    def output(self, kind: Kind, luck: random.Random, round_: int) -> tuple[str, int, list[str]]:
        """An output that does not take what is printed."""
        name = luck.choice(sorted(OUTPUTS))
        before, codes = OUTPUTS[name]
        ended = self.campaign.run(self.here, kind.arguments, before)
        return f"output: {name}", ended.code, said_wrong(ended, codes)

    def signals(self, kind: Kind, luck: random.Random, round_: int) -> tuple[str, int, list[str]]:
        """Ctrl-C or SIGTERM at a moment that the seed decides; it goes to all processes, as in a terminal."""
        number = luck.choice(sorted(SAID))
        share, ended = (round_ * GOLDEN + luck.random()) % 1, None
        while ended is None or ended.code == 0:  # it ended before it could be stopped: somewhat earlier
            fresh(self.here, kind.start)
            stop = (0.03 + share * kind.seconds, number)  # main has begun
            listen = lambda: signal.signal(signal.SIGINT, signal.default_int_handler)  # noqa: E731
            ended = self.campaign.run(self.here, kind.arguments, listen, stop=stop, whole=luck.random() < 0.5)
            share *= 0.8
        code, text = SAID[number]
        lines = [line for line in ended.err.splitlines() if "; finished work is kept" in line]
        right = ended.code == code and len(lines) == 1 and lines[0].startswith(text) and not ended.fault
        return number.name, ended.code, [] if right else [f"ends with {ended.code}: {ended.err[-1500:]}"]

    def two(self, kind: Kind, luck: random.Random, round_: int) -> tuple[str, int, list[str]]:
        """Two processes that do the same at once."""
        (self.here / "data/fake").mkdir(parents=True, exist_ok=True)
        how = (kind.arguments, self.here, roots(self.here), as_forks(None))
        first = forked.start(*how)
        time.sleep(luck.random() * kind.seconds / 2)
        second = forked.start(*how)
        both = forked.finish(first), forked.finish(second)
        wrong = [text for ended in both for text in said_wrong(ended, (0, 1))]
        return "two writers", max(ended.code for ended in both), wrong


def said_wrong(ended: forked.Ended, codes: tuple[int, ...]) -> list[str]:
    """Return what is wrong with how a command ended."""
    if ended.fault or ended.code not in codes or (ended.code == 1 and not ended.one_message):
        return [f"ends with {ended.code}: {ended.err[-1500:]}"]
    return []


def prepare(folder: Path, names: list[str] | None = None) -> Attempt:
    """Run the commands undisturbed."""
    return Surroundings(folder, names).attempt


if __name__ == "__main__":
    campaign("odd surroundings", prepare)
