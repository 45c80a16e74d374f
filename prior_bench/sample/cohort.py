"""Synthetic patients: their anatomy, their findings, and how the findings change from study to study."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

import numpy as np

from prior_bench.sample.cohorts import Cohort
from prior_bench.sample.drawing.anatomy import Anatomy, draw_anatomy
from prior_bench.sample.drawing.findings import Finding
from prior_bench.sample.drawing.objects import VARIANTS

FRONTAL = ("PA", "AP")

COMPANIONS = {
    "atelectasis": {"effusion": 6, "cardiomegaly": 2, "consolidation": 1, "pneumothorax": 1},
    "cardiomegaly": {"edema": 5, "effusion": 4, "atelectasis": 2},
    "consolidation": {"effusion": 4, "atelectasis": 2, "edema": 1, "lesion": 1},
    "edema": {"cardiomegaly": 5, "effusion": 5, "atelectasis": 1, "consolidation": 1},
    "effusion": {"atelectasis": 6, "edema": 3, "cardiomegaly": 2, "consolidation": 2, "lesion": 1},
    "lesion": {"effusion": 2, "atelectasis": 1, "consolidation": 1},
    "pneumothorax": {"atelectasis": 3, "effusion": 3, "lesion": 1},
    "foreign_object": {"effusion": 3, "atelectasis": 3, "edema": 2, "cardiomegaly": 2},
}
"""Relative frequency of a second finding, by the finding before it.

The most frequent combinations are those in CheXpert's labels: effusion with atelectasis, and edema with
cardiomegaly and effusion.
"""

SIDES = {
    "atelectasis": {"right": 3, "left": 4, "bilateral": 3},
    "consolidation": {"right": 5, "left": 4, "bilateral": 2},
    "effusion": {"right": 3, "left": 3, "bilateral": 3},
    "lesion": {"right": 6, "left": 5, "bilateral": 2},
    "pneumothorax": {"right": 5, "left": 5},
    "foreign_object": {"right": 1, "left": 1},
}
ZONES = {
    "atelectasis": {"lower": 7, "mid": 2, "upper": 1},
    "consolidation": {"lower": 5, "mid": 3, "upper": 3},
    "effusion": {"lower": 1},
    "lesion": {"upper": 4, "mid": 3, "lower": 3},
    "pneumothorax": {"upper": 1},
}


FOCAL_SHARE = 0.35
"""Share of the consolidations that are no larger than a patch of a 6 x 6 grid."""
MOST = 4
"""Largest number of findings of one patient, without foreign objects."""


@dataclass(frozen=True)
class CaseMix:
    """The composition of a cohort.

    Attributes:
        primary: number of patients in a deck by main finding (``"healthy"`` for none). The same deck is
            repeated until all patients have a main finding, so that even a small cohort has every kind.
        alone: share of the ill patients who have only their main finding.
        studies: relative frequency of 1, 2, 3, ... studies per patient.
        lateral: share of PA studies with a lateral image.
        second_frontal: share of studies with a second frontal image.
        device: basis for the probability of a foreign object: a quarter of it with at most one finding,
            twice it with several findings.
    """

    primary: dict[str, int] = field(
        default_factory=lambda: {
            "healthy": 7,
            "atelectasis": 4,
            "cardiomegaly": 4,
            "consolidation": 6,
            "edema": 4,
            "effusion": 4,
            "lesion": 3,
            "pneumothorax": 2,
            "foreign_object": 1,
        }
    )
    alone: float = 0.45
    studies: tuple[int, ...] = (4, 3, 2, 1)
    lateral: float = 0.2
    second_frontal: float = 0.06
    device: float = 0.25


@dataclass(frozen=True)
class View:
    """One image of a study: ``PA``, ``AP`` or ``LATERAL``, and the seed of pose, exposure and noise."""

    position: str
    seed: int


@dataclass(frozen=True)
class Study:
    """One study of a patient.

    Attributes:
        number: 1, 2, ... within the patient.
        views: its images, frontal first.
        findings: findings of the patient at this time.
        prior: findings at the previous study; None for the first study.
        seed: seed of the report's wording.
    """

    number: int
    views: tuple[View, ...]
    findings: tuple[Finding, ...]
    prior: tuple[Finding, ...] | None
    seed: int

    def has(self, kind: str) -> bool:
        """Whether a finding of this kind is present."""
        return any(f.kind == kind for f in self.findings)


@dataclass(frozen=True)
class Patient:
    """A patient with a healthy anatomy, to which each study's findings are added.

    Attributes:
        number: unique to the patient within the data set, over all cohorts.
        key: random 32-bit number, from which identifiers are made.
        sex: ``"M"`` or ``"F"``.
        age: age in years at the first study.
        anatomy: the chest without findings.
        studies: the studies in order of time.
    """

    number: int
    key: int
    sex: str
    age: int
    anatomy: Anatomy
    studies: tuple[Study, ...]


def draw_cohort(name: str, patients: int, cohort: Cohort, mix: CaseMix, after: int = 0) -> list[Patient]:
    """Draw the patients of a data set or of a part of it; different names give different patients.

    Args:
        name: name of the data set or part.
        patients: number of patients.
        cohort: cohort that they belong to.
        mix: distribution of their findings and studies.
        after: number of patients of the cohort that precede them in the same data set.
    """
    stream = [cohort.seed, zlib.crc32(name.encode())]
    deck = _deck(mix)
    np.random.default_rng(stream).shuffle(deck)
    mains = [deck[place % len(deck)] for place in range(patients)]
    return [
        _draw_patient(np.random.default_rng([*stream, place]), cohort.first + after + place, main, mix)
        for place, main in enumerate(mains)
    ]


def split_patients(patients: list[Patient], shares: dict[str, float], seed: int) -> dict[int, str]:
    """Return the split of each patient, by patient number; it applies to all studies of the patient.

    Args:
        patients: the cohort.
        shares: share of the patients by split; every split gets at least one patient.
        seed: seed of the permutation.
    """
    order = np.random.default_rng([seed, len(patients)]).permutation(len(patients))
    sizes = {name: max(1, round(share * len(patients))) for name, share in shares.items()}
    largest = max(sizes, key=sizes.__getitem__)
    sizes[largest] += len(patients) - sum(sizes.values())
    names = np.repeat(list(sizes), list(sizes.values()))
    return {patients[i].number: str(names[place]) for place, i in enumerate(order)}


def _deck(mix: CaseMix) -> list[tuple[str, bool]]:
    """Return the cards of a deck: a main finding, and whether the patient has no other finding."""
    cards = []
    for kind, count in mix.primary.items():
        alone = round(mix.alone * count)
        cards += [(kind, place < alone) for place in range(count)]
    return cards


def _draw_patient(rng: np.random.Generator, number: int, main: tuple[str, bool], mix: CaseMix) -> Patient:
    sex = "M" if rng.random() < 0.52 else "F"
    age = int(np.clip(rng.normal(61, 17), 18, 91))
    anatomy = draw_anatomy(rng, sex, age)
    kind, alone = main
    findings = _first_findings(rng, kind, alone, mix)
    studies, prior = [], None
    for i in range(1 + rng.choice(len(mix.studies), p=_shares(mix.studies))):
        if prior is not None:
            findings = _evolve(rng, prior, kind, alone, mix)
        views = _draw_views(rng, findings, mix)
        studies.append(Study(i + 1, views, findings, prior, int(rng.integers(2**31))))
        prior = findings
    return Patient(number, int(rng.integers(2**32)), sex, age, anatomy, tuple(studies))


def _first_findings(rng: np.random.Generator, kind: str, alone: bool, mix: CaseMix) -> tuple[Finding, ...]:
    if kind == "healthy":
        return _with_object(rng, (), 0.25 * mix.device)
    findings: tuple[Finding, ...] = (draw_finding(rng, kind),)
    if alone:
        return _with_object(rng, findings, 0.25 * mix.device)
    while len(findings) < 2 or (len(findings) < MOST and rng.random() < 0.45):
        extra = _weighted(rng, COMPANIONS[findings[-1].kind])
        if all(f.kind != extra for f in findings):
            findings = (*findings, draw_finding(rng, extra))
    return _with_object(rng, findings, 2 * mix.device)


def _with_object(
    rng: np.random.Generator, findings: tuple[Finding, ...], chance: float
) -> tuple[Finding, ...]:
    if rng.random() < chance and all(f.kind != "foreign_object" for f in findings):
        return (*findings, draw_finding(rng, "foreign_object"))
    return findings


def draw_finding(rng: np.random.Generator, kind: str) -> Finding:
    """Draw a finding of a kind with random side, zone, severity and shape."""
    variant = ""
    if kind == "foreign_object":
        variant = str(rng.choice(list(VARIANTS), p=_shares((3, 4, 3, 3, 2, 1, 1))))
    if kind == "consolidation" and rng.random() < FOCAL_SHARE:
        variant = "focal"
    return Finding(
        kind,
        side=_weighted(rng, SIDES.get(kind)),
        zone=_weighted(rng, ZONES.get(kind)),
        severity=float(np.clip(rng.beta(2.6, 2.1), 0.12, 0.98)),
        seed=int(rng.integers(2**31)),
        variant=variant,
    )


def _evolve(
    rng: np.random.Generator, prior: tuple[Finding, ...], kind: str, alone: bool, mix: CaseMix
) -> tuple[Finding, ...]:
    """Return the findings at the next study: most remain; some worsen, improve or resolve, or one is new."""
    now = []
    for finding in prior:
        if rng.random() < 0.12:
            continue
        change = 0.0 if rng.random() < 0.4 else rng.normal(0, 0.2)
        if finding.severity + change > 0.08:
            now.append(replace(finding, severity=float(np.clip(finding.severity + change, 0.12, 0.98))))
    if not alone and kind != "healthy" and rng.random() < 0.2:
        extra = _weighted(rng, COMPANIONS[kind])
        if all(f.kind != extra for f in now):
            now.append(draw_finding(rng, extra))
    return tuple(now)


def _draw_views(rng: np.random.Generator, findings: tuple[Finding, ...], mix: CaseMix) -> tuple[View, ...]:
    worst = max((f.severity for f in findings), default=0.0)
    portable = rng.random() < 0.25 + 0.35 * worst
    positions = ["AP" if portable else "PA"]
    if rng.random() < mix.second_frontal:
        positions.append(positions[0])
    if not portable and rng.random() < mix.lateral:
        positions.append("LATERAL")
    return tuple(View(position, int(rng.integers(2**31))) for position in positions)


def _shares(weights: tuple[int, ...]) -> np.ndarray:
    return np.asarray(weights, dtype=float) / sum(weights)


def _weighted(rng: np.random.Generator, weights: dict[str, int] | None) -> str:
    if weights is None:
        return ""
    return str(rng.choice(list(weights), p=_shares(tuple(weights.values()))))
