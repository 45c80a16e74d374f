"""Which process runs which cell of a store, for any number of processes on any number of hosts.

A cell is claimed for as long as it runs. The whole store is claimed by those that change records of many
cells (import, migration); they and the cells' processes keep out of each other's way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.bounded import require_folders
from prior_bench.io.claims import Claim, Owner, living, sweep, take
from prior_bench.io.leftovers import DAY, remove_leftovers
from prior_bench.io.locks import one_at_a_time
from prior_bench.io.room import writing_to

CLAIMS = "claims"
"""Folder of the claims in a store; a claim has the key of its cell as its name."""
STORE, PLAN = ".store", ".plan"
"""Claims of the whole store, and of its plan."""


class CellClaims:
    """The claims of one store.

    Args:
        root: folder of the store.
        fix: remedy if it cannot be written.
    """

    def __init__(self, root: Path, fix: str = ""):
        self.root, self.folder, self.fix = root, root / CLAIMS, fix

    def take(self, key: str) -> Claim | Owner:
        """Claim a cell, or return the process that has it.

        Raises:
            StorageError: the claim cannot be written.
        """
        self._make()
        with writing_to(self.folder, self.fix):
            claim = take(self.folder / key)
            # who claims the store looks at the cells only after its claim, so that one of the two gives way
            if isinstance(claim, Claim) and (whole := living(self.folder / STORE)):
                claim.release()
                return whole
        return claim

    def owner(self, key: str) -> Owner | None:
        """The living process that keeps others from a cell, if any."""
        return living(self.folder / key) or living(self.folder / STORE)

    def sweep(self) -> None:
        """Remove what ended processes have left: their claims, and the halves of those they were making."""
        self._make()
        with writing_to(self.folder, self.fix):
            remove_leftovers(self.folder, older_than=DAY)
            sweep(self.folder)

    @contextmanager
    def whole(self, busy: str, fix: str) -> Iterator[None]:
        """Claim the whole store, or fail immediately.

        Raises:
            BenchError: another process has it or one of its cells; it is added to the message ``busy``.
        """
        self.sweep()
        with writing_to(self.folder, self.fix):
            claim = take(self.folder / STORE)
        if isinstance(claim, Owner):
            raise BenchError(f"{busy}: {claim}", where=self.root, fix=fix)
        with claim:
            for path in sorted(self.folder.glob("[!.]*")):
                if other := living(path):
                    raise BenchError(f"{busy}: {other}", where=self.root, fix=fix)
            yield

    @contextmanager
    def plan(self) -> Iterator[None]:
        """Claim the plan while it is read, changed and saved; waits for other processes."""
        self._make()
        with one_at_a_time(self.folder, "waiting for another process that saves its plan", PLAN, self.fix):
            yield

    def _make(self) -> None:
        require_folders(self.root, CLAIMS)
        with writing_to(self.folder, self.fix):
            self.folder.mkdir(parents=True, exist_ok=True)
