"""The sample benchmark: synthetic radiographs and reports in the layouts of the real data sets.

Nothing is stored in the package; the data is computed from a seed on first use: the demo's data sets
together, the others each when it is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name

VERSION = "1"
"""Raised whenever the same seed gives other data than before."""

SIZE_VARIABLE = "PRIOR_BENCH_SAMPLE_SIZE"
"""Environment variable that chooses the size: ``default``, or ``tiny`` for tests."""

FOLDERS = {
    "mimic_cxr": "mimic_cxr",
    "chexpert": "chexpert",
    "chexpert_5x200": "chexpert",
    "rsna_pneumonia": "rsna_pneumonia",
    "siim_acr": "siim_acr",
    "mimic_5x200": "mimic_cxr",
    "covidx": "covidx",
    "object_cxr": "object_cxr",
    "nih_chestxray14": "nih_chestxray14",
    "vindr_cxr": "vindr_cxr",
}
"""Folder of each data set, by registered name."""

PER_CLASS = {"default": 40, "tiny": 2}
"""Images per class of the sample's CheXpert 5x200, by size; its pools are too small for 200."""


OPTIONS: dict[str, dict[str, Any]] = {
    "covidx": {"version": "9A"},
    "nih_chestxray14": {
        "labels": [
            "Atelectasis",
            "Cardiomegaly",
            "Effusion",
            "Infiltration",
            "Pneumonia",
            "Pneumothorax",
            "Consolidation",
            "Edema",
        ]
    },
    "vindr_cxr": {
        "labels": [
            "Atelectasis",
            "Cardiomegaly",
            "Consolidation",
            "Edema",
            "Lung Opacity",
            "Pleural effusion",
            "Pneumothorax",
            "Pneumonia",
        ]
    },
}
"""Reader options of the sample: which of two versions' lists are read; the findings that occur in it."""


def sample_options(name: str) -> dict[str, Any]:
    """Reader options that the sample asks for: one of several lists, the labels it has, fewer images."""
    size = os.environ.get(SIZE_VARIABLE) or "default"
    if name == "chexpert_5x200" and size in PER_CLASS:
        return {"per_class": PER_CLASS[size]}
    return dict(OPTIONS.get(name, {}))


def sample_root(name: str) -> Path:
    """Folder of one synthetic data set, in the layout of the real one; generated on first use.

    The lists of images that papers published (:mod:`prior_bench.sample.lists`) are there too.

    Args:
        name: data set, e.g. ``"mimic_cxr"``.

    Returns:
        A folder under ``data_root() / "sample-<version>"`` (``-tiny`` appended for the tiny size).

    Raises:
        BenchError: the data set has no sample, the size is unknown, or the folder cannot be written.
    """
    if name not in FOLDERS:
        raise unknown_name("sample data set", name, list(FOLDERS))
    size = os.environ.get(SIZE_VARIABLE) or "default"
    folder = paths.data_root() / (f"sample-{VERSION}" if size == "default" else f"sample-{VERSION}-{size}")
    root = folder / FOLDERS[name]
    if not root.is_dir():
        from prior_bench.sample.generate import FURTHER, add, generate
        from prior_bench.sample.sizes import SIZES

        if size not in SIZES:
            raise unknown_name("sample size", size, list(SIZES), where=SIZE_VARIABLE)
        if not folder.is_dir():
            generate(folder, size)
        if name in FURTHER:
            add(folder, name, size)
    if not root.is_dir():
        raise BenchError(
            "is missing from the sample benchmark", where=root, fix=f"delete {folder}: it is written again"
        )
    from prior_bench.sample.lists import write_lists

    write_lists(name, root)
    return root


class SampleBenchmark:
    """The generator behind ``sample:NAME``; see :data:`prior_bench.registry.GENERATORS`."""

    version = int(VERSION)

    @staticmethod
    def options(name: str) -> dict[str, Any]:
        """Options of the reader of a synthetic data set."""
        return sample_options(name)

    @staticmethod
    def root(name: str) -> Path:
        """Folder of a synthetic data set, generated on first use."""
        return sample_root(name)
