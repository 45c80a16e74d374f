"""The sample benchmark: synthetic radiographs and reports in the layouts of the real data sets.

There are two, of different people (:mod:`prior_bench.sample.cohorts`): ``sample:NAME`` to pre-train and test
on, and ``sample_validation:NAME`` to choose configs on. Nothing is stored in the package; the data is
computed from seeds on first use: the demo's data sets together, the others each when it is asked for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name
from prior_bench.sample.cohorts import SAMPLE, SAMPLE_VALIDATION, Benchmark

VERSION = "2"
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
    "ms_cxr": "mimic_cxr",
    "covidx": "covidx",
    "object_cxr": "object_cxr",
    "nih_chestxray14": "nih_chestxray14",
    "vindr_cxr": "vindr_cxr",
}
"""Folder of each data set, by registered name."""

PER_CLASS = {"default": 40, "tiny": 2}
"""Images per class of the sample's CheXpert 5x200, by size; its pools are too small for 200."""


OPTIONS: dict[str, dict[str, Any]] = {
    "rsna_pneumonia": {"shares": [0.48, 0.1, 0.42]},
    "siim_acr": {"shares": [0.48, 0.1, 0.42]},
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
            "Nodule",
        ]
    },
    "vindr_cxr": {
        "labels": [
            "Atelectasis",
            "Cardiomegaly",
            "Consolidation",
            "Edema",
            "Lung Opacity",
            "Nodule/Mass",
            "Pleural effusion",
            "Pneumothorax",
            "Pneumonia",
        ]
    },
}
"""Reader options of the sample: large test sets, for which features are computed once, beside training sets
that heads are trained on in minutes; which of two versions' lists are read; the findings that occur in it."""


def sample_options(name: str) -> dict[str, Any]:
    """Reader options that the sample asks for: one of several lists, the labels it has, fewer images."""
    size = os.environ.get(SIZE_VARIABLE) or "default"
    if name == "chexpert_5x200" and size in PER_CLASS:
        return {"per_class": PER_CLASS[size]}
    return dict(OPTIONS.get(name, {}))


def sample_root(name: str, benchmark: Benchmark = SAMPLE) -> Path:
    """Folder of one synthetic data set, in the layout of the real one; generated on first use.

    The lists of images that papers published (:mod:`prior_bench.sample.lists`) are there too.

    Args:
        name: data set, e.g. ``"mimic_cxr"``.
        benchmark: which of the two.

    Returns:
        A folder under :func:`benchmark_folder`.

    Raises:
        BenchError: the data set has no sample, the size is unknown, or the folder cannot be written.
    """
    if name not in FOLDERS:
        raise unknown_name("sample data set", name, list(FOLDERS))
    size = os.environ.get(SIZE_VARIABLE) or "default"
    folder = benchmark_folder(size, benchmark)
    root = folder / FOLDERS[name]
    if not root.is_dir():
        from prior_bench.sample.generate import FURTHER, add, generate
        from prior_bench.sample.sizes import SIZES

        if size not in SIZES:
            raise unknown_name("sample size", size, list(SIZES), where=SIZE_VARIABLE)
        if not folder.is_dir():
            generate(folder, size, benchmark)
        if name in FURTHER:
            add(folder, name, size, benchmark)
    if not root.is_dir():
        raise BenchError(
            "is missing from the sample benchmark", where=root, fix=f"delete {folder}: it is written again"
        )
    from prior_bench.sample.lists import write_lists

    write_lists(name, root)
    return root


def benchmark_folder(size: str, benchmark: Benchmark = SAMPLE) -> Path:
    """Under the data root: ``sample-<version>``, with ``-validation`` and ``-<size>`` as they apply."""
    part = benchmark.name.partition("_")[2]
    words = ["sample", VERSION, part, "" if size == "default" else size]
    return paths.data_root() / "-".join(filter(None, words))


class SampleBenchmark:
    """The generator behind ``sample:NAME``; see :data:`prior_bench.registry.GENERATORS`."""

    version = int(VERSION)
    benchmark = SAMPLE
    remark = SAMPLE.remark

    @staticmethod
    def options(name: str) -> dict[str, Any]:
        """Options of the reader of a synthetic data set."""
        return sample_options(name)

    @classmethod
    def root(cls, name: str) -> Path:
        """Folder of a synthetic data set, generated on first use."""
        return sample_root(name, cls.benchmark)


class ValidationBenchmark(SampleBenchmark):
    """The generator behind ``sample_validation:NAME``: the same data sets of other people."""

    benchmark = SAMPLE_VALIDATION
    remark = SAMPLE_VALIDATION.remark
