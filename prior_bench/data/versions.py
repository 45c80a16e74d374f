"""Declared versions of a data set: of its reader and, for synthetic data, of the generator."""

from __future__ import annotations

from typing import Any

from prior_bench.api import version_of
from prior_bench.data.generated import generator_of
from prior_bench.registry import DATASETS, GENERATORS


def data_versions(data: dict[str, Any]) -> dict[str, int]:
    """Return the declared versions by name: ``reader`` and, for synthetic data, ``generator``.

    Keys need them because the fingerprint covers the table of a data set, but not the content of its images
    and of masks that are read lazily.

    Args:
        data: a resolved reference (:func:`prior_bench.data.references.resolve`).

    Raises:
        BenchError: the data set is unknown, or a version is not an integer.
    """
    versions = {"reader": version_of(DATASETS.get(data["type"]), f"reader {data['type']}")}
    if generator := generator_of(data["root"]):
        versions["generator"] = version_of(GENERATORS.get(generator), f"generator {generator}")
    return versions
