"""A runner of cells that several processes share: each cell is claimed while it runs."""

from __future__ import annotations

from typing import Any

from prior_bench.api import RunRecord
from prior_bench.engine.events import Event, LostClaim
from prior_bench.engine.runner import Runner
from prior_bench.io.claims import Claim, Owner
from prior_bench.store.store import Stamp
from prior_bench.suites.plan import PlannedRun


class ClaimedRunner(Runner):
    """A :class:`prior_bench.engine.runner.Runner` that leaves to other processes what they have claimed."""

    _claim: Claim | None = None

    def run_claimed(self, run: PlannedRun, seen: Stamp) -> bool:
        """Run a cell unless another process has it or has done it.

        Args:
            run: the cell.
            seen: stamp of its record (:meth:`Store.stamp`) when it was found that it has to run.

        Returns:
            Whether nothing is left to do of it; False if another process has it.

        Raises:
            StorageError: see :meth:`run`.
        """
        claim = self.store.claims.take(run.key)
        if isinstance(claim, Owner):
            self.tell(Event("claimed", run.key, text=str(claim)))
            return False
        with claim:
            if self.store.stamp(run.key) != seen:
                self.tell(Event("recorded", run.key, text="done by another process  "))
                return True
            self._claim = claim
            try:
                self.run(run)
            except LostClaim:
                self.tell(Event("claimed", run.key, text="another process"))
                return False
            finally:
                self._claim = None
        return True

    def _save(self, record: RunRecord, predictions: Any = None, traceback: str = "") -> None:
        if self._claim is not None and not self._claim.held():
            raise LostClaim  # the record is another process's
        super()._save(record, predictions, traceback)
