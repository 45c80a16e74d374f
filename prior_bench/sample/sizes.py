"""Sizes of the sample benchmark."""

from __future__ import annotations

from dataclasses import dataclass, replace

from prior_bench.sample.cohorts import SAMPLE_STUDY, Benchmark


@dataclass(frozen=True)
class Size:
    """The number of patients of each data set and the size of the images.

    Attributes:
        side: side of every image, in pixels.
        mimic_train, mimic_validate, mimic_test: patients in the parts of MIMIC-CXR.
        mimic_unused: patients in each of the first two parts, if no method is pre-trained on the benchmark.
        chexpert_train, chexpert_valid: patients in the parts of CheXpert.
        rsna, siim: patients, with one image each.
        covidx, object_cxr, nih_chestxray14, vindr_cxr: patients, with one image each except in NIH.
        processes: number of processes that write the benchmark.
    """

    side: int = 128
    mimic_train: int = 760
    mimic_validate: int = 80
    mimic_test: int = 210
    mimic_unused: int = 20
    chexpert_train: int = 680
    chexpert_valid: int = 260
    rsna: int = 530
    siim: int = 530
    covidx: int = 340
    object_cxr: int = 340
    nih_chestxray14: int = 260
    vindr_cxr: int = 330
    processes: int = 2


SIZES = {
    "default": Size(),
    "tiny": Size(
        side=96,
        mimic_train=20,
        mimic_validate=2,
        mimic_test=6,
        mimic_unused=2,
        chexpert_train=54,
        chexpert_valid=12,
        rsna=24,
        siim=24,
        covidx=30,
        object_cxr=48,
        nih_chestxray14=24,
        vindr_cxr=30,
        processes=1,
    ),
}
"""Sizes by name, the values of ``PRIOR_BENCH_SAMPLE_SIZE``."""

LARGER = {
    (SAMPLE_STUDY.name, "default"): replace(SIZES["default"], chexpert_valid=780, rsna=1000),
}
"""Sizes of single benchmarks. The study has three times as many test patients of CheXpert and RSNA."""


def size_of(name: str, benchmark: Benchmark) -> Size:
    """Return the size with a name for a benchmark."""
    return LARGER.get((benchmark.name, name), SIZES[name])
