"""The sample benchmarks: synthetic radiographs and reports in the layouts of the real data sets.

There are three, with different patients (:mod:`prior_bench.sample.cohorts`): ``sample:NAME`` to pre-train
and test on, ``sample_validation:NAME`` to choose configs on, and ``sample_study:NAME``, which has larger test
sets, for the study's scores. The package contains no data. The data sets are generated from seeds on first
use: those of the demo together, each of the others when it is first needed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name
from prior_bench.io.leftovers import remove_leftovers
from prior_bench.sample.cohorts import SAMPLE, SAMPLE_STUDY, SAMPLE_VALIDATION, Benchmark

VERSION = "2"
"""Version of the data; it is raised whenever the same seed gives different data."""

SIZE_VARIABLE = "PRIOR_BENCH_SAMPLE_SIZE"
"""Environment variable with the size: ``default``, or ``tiny`` for tests."""

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
"""Images per class of the sample's CheXpert 5x200, by size; the sample has too few images for 200."""


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
"""Reader options of the sample, by data set.

``shares`` gives large test sets, whose features are computed only once, and training sets on which heads are
trained in minutes. ``version`` selects one of two versions of the lists. ``labels`` has the findings that
occur in the sample.
"""

STUDY_OPTIONS: dict[str, dict[str, Any]] = {"rsna_pneumonia": {"shares": [0.255, 0.055, 0.69]}}
"""Reader options of the study's cohort where they differ: as many patients to train on, more to test on."""


def sample_options(name: str, benchmark: Benchmark = SAMPLE) -> dict[str, Any]:
    """Return the reader options for a data set of the sample: lists, labels, shares or images per class."""
    size = os.environ.get(SIZE_VARIABLE) or "default"
    if name == "chexpert_5x200" and size in PER_CLASS:
        return {"per_class": PER_CLASS[size]}
    own = STUDY_OPTIONS.get(name) if benchmark == SAMPLE_STUDY and size == "default" else None
    return dict(own or OPTIONS.get(name, {}))


def sample_root(name: str, benchmark: Benchmark = SAMPLE) -> Path:
    """Return the folder of a synthetic data set in the layout of the real one; generate it on first use.

    It also contains lists of images like those that papers published (:mod:`prior_bench.sample.lists`).

    Args:
        name: name of the data set, e.g. ``"mimic_cxr"``.
        benchmark: the sample benchmark to which it belongs.

    Returns:
        A folder under :func:`benchmark_folder`.

    Raises:
        BenchError: the data set has no sample, the size is unknown, or the folder cannot be written.
    """
    if name not in FOLDERS:
        raise unknown_name("sample data set", name, list(FOLDERS))
    size = os.environ.get(SIZE_VARIABLE) or "default"
    folder = benchmark_folder(size, benchmark)
    root = paths.led_here(folder / FOLDERS[name])
    # a killed process leaves a hidden copy; where its process is unknown, it takes much less than an hour
    remove_leftovers(folder.parent, folder.name, older_than=3600)
    remove_leftovers(folder, older_than=3600)
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
    """Return the folder of generated data, ``sample-<version>[-validation][-<size>]``."""
    part = benchmark.name.partition("_")[2]
    words = ["sample", VERSION, part, "" if size == "default" else size]
    return paths.generated_root("-".join(filter(None, words)))


class SampleBenchmark:
    """The generator behind ``sample:NAME``; see :data:`prior_bench.registry.GENERATORS`."""

    version = int(VERSION)
    benchmark = SAMPLE
    remark = SAMPLE.remark
    data_sets = tuple(FOLDERS)

    @classmethod
    def options(cls, name: str) -> dict[str, Any]:
        """Return the options of the reader of a synthetic data set."""
        return sample_options(name, cls.benchmark)

    @classmethod
    def root(cls, name: str) -> Path:
        """Return the folder of a synthetic data set, which is generated on first use."""
        return sample_root(name, cls.benchmark)

    @classmethod
    def ready(cls, name: str) -> bool:
        """Whether a synthetic data set is there already, so that opening it generates nothing."""
        folder = benchmark_folder(os.environ.get(SIZE_VARIABLE) or "default", cls.benchmark)
        return name in FOLDERS and (folder / FOLDERS[name]).is_dir()


class ValidationBenchmark(SampleBenchmark):
    """The generator behind ``sample_validation:NAME``: the same data sets with other patients."""

    benchmark = SAMPLE_VALIDATION
    remark = SAMPLE_VALIDATION.remark


class StudyBenchmark(SampleBenchmark):
    """The generator behind ``sample_study:NAME``: other patients again, and larger test sets."""

    benchmark = SAMPLE_STUDY
    remark = SAMPLE_STUDY.remark
