"""Runs that other processes have: they are looked at again until they are recorded or can be taken over."""

from __future__ import annotations

import time
from collections.abc import Callable

from prior_bench.store.store import Store
from prior_bench.suites.plan import PlannedRun

PAUSES = 0.5, 5.0
"""Seconds between two looks at the claims of others: at first, and at most."""
SAID_AGAIN = 600.0
"""Seconds after which it is said again that others are waited for."""


class ClaimedRuns:
    """The runs that other processes have.

    Args:
        store: with the claims.
        say: takes progress lines.
    """

    def __init__(self, store: Store, say: Callable[[str], None]):
        self.store, self.say = store, say
        self.owners: dict[str, tuple[PlannedRun, str]] = {}
        self._known: dict[str, str] = {}
        self._pause, self._next, self._said = PAUSES[0], 0.0, 0.0

    def __bool__(self) -> bool:
        return bool(self.owners)

    def add(self, run: PlannedRun, owner: str) -> None:
        """Note that another process has a run, and say so once for each owner."""
        if self._known.get(run.key) != owner:
            self.say(f"{run.label}: claimed by {owner}, looked at again at the end")
        self._known[run.key] = owner
        self.owners[run.key] = run, owner
        self._next = time.monotonic() + self._pause

    def clear(self) -> None:
        """Wait for none of them any more."""
        self.owners.clear()

    def pause(self) -> float | None:
        """Seconds until the next look; None if there is nothing to look at."""
        return max(0.0, self._next - time.monotonic()) if self.owners else None

    def free(self) -> list[PlannedRun]:
        """Take the runs whose claims are gone or stale; none before the time of the next look."""
        if not self.owners or time.monotonic() < self._next:
            return []
        free = [run for run, _ in self.owners.values() if self.store.claims.owner(run.key) is None]
        for run in free:
            del self.owners[run.key]
        self._pause = PAUSES[0] if free else min(1.5 * self._pause, PAUSES[1])
        self._next = time.monotonic() + self._pause
        return free

    def waiting(self) -> None:
        """Say, now and then, that there is nothing to do but to wait for others."""
        now = time.monotonic()
        if self.owners and (not self._said or now - self._said > SAID_AGAIN):
            self._said = now
            run, owner = next(iter(self.owners.values()))
            more = f" and {len(self.owners) - 1} more" if len(self.owners) > 1 else ""
            self.say(f"waiting for {owner}: {run.label}{more}")
