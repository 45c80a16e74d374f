"""The four cohorts of patients, and the parts of the sample benchmarks that each of them fills.

No patient is in two cohorts, and no identifier is used twice: the patient numbers of each cohort start at a
different number.
"""

from __future__ import annotations

from dataclasses import dataclass

APART = 3000
"""Distance between the first patient numbers of the first three cohorts; no data set has half as many.

The layouts spread numbers below three times this one over their identifiers (``SPREAD`` in ``mimic_cxr``).
"""


@dataclass(frozen=True)
class Cohort:
    """A group of patients with one seed.

    Attributes:
        name: purpose of the cohort.
        seed: seed that determines all patients.
        first: number of the first patient in every data set.
    """

    name: str
    seed: int
    first: int


PRETRAINING = Cohort("pre-training", seed=0, first=0)
"""Patients that methods are pre-trained on."""
VALIDATION = Cohort("validation", seed=1, first=APART)
"""Patients that configs are chosen on."""
TEST = Cohort("test", seed=2026, first=2 * APART)
"""Patients that the demo is scored on. No config is chosen on them, and the seed never changes."""
STUDY = Cohort("study", seed=20261201, first=5 * APART // 2)
"""Patients that the study is scored on. It was declared before any score of theirs was known."""


@dataclass(frozen=True)
class Benchmark:
    """The cohorts of one sample benchmark.

    Attributes:
        name: name of the generator, the prefix of data references.
        pretraining: cohort of the parts ``train`` and ``validate`` of MIMIC-CXR.
        test: cohort of the part ``test`` of MIMIC-CXR and of all parts of every other data set.
        pretrains: whether methods are pre-trained on it; otherwise, the parts ``train`` and ``validate`` are
            as small as possible.
        remark: remark after the names of its data sets.
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
SAMPLE_STUDY = Benchmark("sample_study", STUDY, STUDY, pretrains=False, remark="synthetic, study")
BENCHMARKS = {benchmark.name: benchmark for benchmark in (SAMPLE, SAMPLE_VALIDATION, SAMPLE_STUDY)}
"""The sample benchmarks by name."""
