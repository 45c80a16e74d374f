"""Declared versions behind a data set: of its reader, and of the generator where it is synthetic."""

from __future__ import annotations

from typing import Any

from prior_bench.api import version_of
from prior_bench.registry import DATASETS, GENERATORS


def data_versions(data: dict[str, Any]) -> dict[str, int]:
    """By name. The content of a data set is in its fingerprint; its images and lazily read masks are not.

    Args:
        data: a reference, resolved (:func:`prior_bench.data.open.resolve`).

    Raises:
        BenchError: unknown data set, or a version that is no whole number.
    """
    versions = {"reader": version_of(DATASETS.get(data["type"]), f"reader {data['type']}")}
    generator, _, name = str(data["root"]).partition(":")
    if name and generator in GENERATORS.names():
        versions["generator"] = version_of(GENERATORS.get(generator), f"generator {generator}")
    return versions
