"""Warnings about reused results whose source code has changed; only declared versions decide on reuse."""

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
    """Hash of the source that a task uses: its module, its imports from our packages, and the encoders.

    The hash is provenance and not part of a key. It is empty for a task that is not registered here.
    """
    if TASKS.registered(task) is None:  # a record names no module, not even one to look at
        return ""
    place = task if ":" in task else TASKS.source(task)
    return code_version(*used_modules(place.partition(":")[0]), "prior_bench.encoders")


def changed_records(records: Iterable[RunRecord | None]) -> list[str]:
    """Keys of the finished records whose recorded source hash differs from today's source of the task."""
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
                today[task] = ""  # a task whose source is not here
        if today[task] and today[task] != noted:
            changed.append(record.key)
    return changed


def warn_of_records(records: Iterable[RunRecord | None], again: str) -> None:
    """Print one line on stderr if the source code of some records has changed since they were made.

    Args:
        records: the records that are reused or shown.
        again: the command that runs them again.
    """
    records = [record for record in records if record is not None]
    if changed := changed_records(records):
        print(
            f"warning: {len(changed)} of {len(records)} records were made by different source code with the "
            f"same declared versions (docs/versions.md); to run them again: {again}",
            file=sys.stderr,
        )


@cache
def warn_of_cache(what: str, fix: str) -> None:
    """Print one line on stderr, at most once a process for each text."""
    print(
        f"warning: {what} by different source code with the same declared versions (docs/versions.md); "
        f"to make them again: {fix}",
        file=sys.stderr,
    )
