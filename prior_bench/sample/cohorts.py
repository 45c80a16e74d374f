"""Who is in the sample benchmarks: three cohorts, and which part of which benchmark each of them fills.

No patient is in two cohorts, and no identifier is given twice: each cohort numbers its patients from a start
of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

APART = 3000
"""Numbers between the first patients of two cohorts; no data set has so many patients."""


@dataclass(frozen=True)
class Cohort:
    """People that are drawn together.

    Attributes:
        name: what they are for.
        seed: determines all of them.
        first: number of the first patient of every data set.
    """

    name: str
    seed: int
    first: int


PRETRAINING = Cohort("pre-training", seed=0, first=0)
"""Whom methods are pre-trained on."""
VALIDATION = Cohort("validation", seed=1, first=APART)
"""Whom configs are chosen on."""
TEST = Cohort("test", seed=2026, first=2 * APART)
"""Whom published scores are measured on. No config is chosen on these people, and the seed stays."""


@dataclass(frozen=True)
class Benchmark:
    """Which cohorts the data sets of one benchmark are drawn from.

    Attributes:
        name: of the generator, the prefix of data references.
        pretraining: fills the parts ``train`` and ``validate`` of MIMIC-CXR.
        test: fills the part ``test`` of MIMIC-CXR, and all parts of every other data set.
        pretrains: whether methods are pre-trained on it; else those two parts are as small as can be.
        remark: put behind the names of its data sets.
    """

    name: str
    pretraining: Cohort
    test: Cohort
    pretrains: bool
    remark: str


SAMPLE = Benchmark("sample", PRETRAINING, TEST, pretrains=True, remark="synthetic")
SAMPLE_VALIDATION = Benchmark(
    "sample_validation", VALIDATION, VALIDATION, pretrains=False, remark="synthetic, validation"
)
BENCHMARKS = {benchmark.name: benchmark for benchmark in (SAMPLE, SAMPLE_VALIDATION)}
"""By name."""
