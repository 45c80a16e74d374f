"""Which of several workers runs which cell next.

The runs of the same weights are a group. A worker takes a group and runs it in order. If no group is left, it
helps with another worker's group, as soon as the weights of this group are made.

The last groups begin early: when fewer groups than workers wait, a worker whose weights are made begins one
of them, and leaves the rest of its own group to whoever is free. Else the others would have nothing to do
while the last weights are made.

Weights whose making takes several workers come first, and runs that take several: workers that have nothing
to do wait until there are enough of them. Once the weights are made, all of them evaluate.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prior_bench.suites.plan import PlannedRun

Worker = Hashable


@dataclass(eq=False)
class _Group:
    """Runs of the same weights that are still to be done.

    Attributes:
        runs: in order.
        made: whether a run of the group is over, so that its weights exist.
    """

    runs: list[PlannedRun]
    made: bool = False


class RunQueue:
    """The runs that are still to be handed out, and which worker is at which group.

    Args:
        groups: runs of the same weights each.
        wanted: returns how many workers a run takes, or the making of its weights; by default one.
        workers: number of workers.
    """

    def __init__(
        self,
        groups: list[list[PlannedRun]],
        wanted: Callable[[PlannedRun], int] | None = None,
        workers: int = 1,
    ):
        self._wanted, self._workers = wanted or (lambda run: 1), workers
        first = sorted(groups, key=lambda runs: self._wanted(runs[0]) == 1)  # keeps the order of the others
        self.waiting = [_Group(list(runs)) for runs in first]
        self.groups: dict[Worker, _Group] = {}

    def wanted(self) -> int:
        """Return how many workers the first group that nobody has takes now."""
        return self._wanted(self.waiting[0].runs[0]) if self.waiting else 1

    def drop(self) -> PlannedRun:
        """Leave out the first group that nobody has; return its first run."""
        return self.waiting.pop(0).runs[0]

    def next(self, worker: Worker, fresh: bool = False) -> PlannedRun | None:
        """Take the next run for a worker; None if there is none now (later there may be, see ``empty``).

        Args:
            worker: who asks.
            fresh: whether it leaves its group to others and takes one that nobody has.
        """
        group = self.groups.get(worker)
        last = None if fresh else self._last_to_begin(group)
        if (fresh or last) and group is not None and group.runs:
            del self.groups[worker]
            if not any(other is group for other in self.groups.values()):
                self.waiting.append(group)
        if fresh or last or group is None or not group.runs:
            if last is not None:
                self.waiting.remove(last)
            group = last or (self.waiting.pop(0) if self.waiting else self._longest())
            if group is None:
                return None
            self.groups[worker] = group
        return group.runs.pop(0)

    def _last_to_begin(self, group: _Group | None) -> _Group | None:
        """One of the last groups whose weights are not made, for a worker whose own group's are."""
        unmade = [one for one in self.waiting if not one.made]
        if group is None or not group.made or not 0 < len(unmade) < self._workers:
            return None
        return unmade[0] if self._wanted(unmade[0].runs[0]) == 1 else None

    def _longest(self) -> _Group | None:
        """The group with the most runs that others may help with."""
        shared = [group for group in self.groups.values() if group.made and group.runs]
        return max(shared, key=lambda group: len(group.runs), default=None)

    def made(self, worker: Worker) -> None:
        """Note that the weights of a worker's group exist."""
        if worker in self.groups:
            self.groups[worker].made = True

    def add(self, runs: list[PlannedRun]) -> None:
        """Hand out further runs of the same weights: those that another process has not finished."""
        self.waiting.append(_Group(list(runs)))

    def died(self, worker: Worker) -> None:
        """Drop the group of a worker that has died: it may have died of it."""
        if group := self.groups.pop(worker, None):
            group.runs.clear()

    def stop(self) -> None:
        """Hand out nothing more."""
        self.waiting.clear()
        for group in self.groups.values():
            group.runs.clear()

    @property
    def empty(self) -> bool:
        """Whether no worker will get another run."""
        return not any(group.runs for group in (*self.waiting, *self.groups.values()))
