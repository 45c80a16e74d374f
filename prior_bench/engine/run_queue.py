"""Which of several workers runs which cell next.

The runs of the same weights are a group. A worker takes a group and runs it in order. If no group is left, it
helps with another worker's group, as soon as the weights of this group are made.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prior_bench.suites.plan import PlannedRun

Worker = Hashable


@dataclass
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
    """

    def __init__(self, groups: list[list[PlannedRun]]):
        self.waiting = [_Group(list(runs)) for runs in groups]
        self.groups: dict[Worker, _Group] = {}

    def next(self, worker: Worker) -> PlannedRun | None:
        """Take the next run for a worker; None if there is none now (later there may be, see ``empty``)."""
        group = self.groups.get(worker)
        if group is None or not group.runs:
            group = self.waiting.pop(0) if self.waiting else self._longest()
            if group is None:
                return None
            self.groups[worker] = group
        return group.runs.pop(0)

    def _longest(self) -> _Group | None:
        """The group with the most runs that others may help with."""
        shared = [group for group in self.groups.values() if group.made and group.runs]
        return max(shared, key=lambda group: len(group.runs), default=None)

    def over(self, worker: Worker) -> None:
        """Note that a worker has done its run."""
        if worker in self.groups:
            self.groups[worker].made = True

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
