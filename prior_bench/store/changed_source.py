"""Warnings about reused results of other source code. Declared versions alone decide on reuse."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import cache

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.store.source_hash import code_version, used_modules


@cache
def task_source(task: str) -> str:
    """Hash of the source that a task uses: its module, what it imports of our packages, and the encoders.

    Provenance, no part of a key; nothing is imported for it.
    """
    place = task if ":" in task else TASKS.source(task)
    return code_version(*used_modules(place.partition(":")[0]), "prior_bench.encoders")


def changed_records(records: Iterable[RunRecord | None]) -> list[str]:
    """Keys of the finished records whose task had other source code, where that is known."""
    today: dict[str, str] = {}
    changed = []
    for record in records:
        if record is None or record.status != "done" or record.provenance.get("code_version") is None:
            continue
        noted = record.provenance["code_version"]
        task = record.spec["task"]
        if task not in today:
            try:
                today[task] = task_source(task)
            except (BenchError, ModuleNotFoundError):
                today[task] = ""  # a task that is not installed here
        if today[task] and today[task] != noted:
            changed.append(record.key)
    return changed


def warn_of_records(records: Iterable[RunRecord | None], again: str) -> None:
    """Print one warning line if some records were made by other source code.

    Args:
        records: that are reused or shown.
        again: the command that makes them again.
    """
    records = [record for record in records if record is not None]
    if changed := changed_records(records):
        print(
            f"warning: {len(changed)} of {len(records)} records were made by other source code of the same "
            f"declared versions (docs/versions.md); to run them again: {again}",
            file=sys.stderr,
        )


@cache
def warn_of_cache(what: str, fix: str) -> None:
    """Print a warning line once per process."""
    print(
        f"warning: {what} by other source code of the same declared versions (docs/versions.md); "
        f"to have it made again: {fix}",
        file=sys.stderr,
    )
