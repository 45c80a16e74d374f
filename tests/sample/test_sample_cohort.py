from collections import Counter

import numpy as np
import pytest

from prior_bench.sample import PER_CLASS
from prior_bench.sample.cohort import FRONTAL, CaseMix, draw_cohort, split_patients
from prior_bench.sample.cohorts import BENCHMARKS, SAMPLE, TEST, VALIDATION
from prior_bench.sample.layouts import chexpert as write_chexpert
from prior_bench.sample.layouts import mimic_cxr as write_mimic_cxr
from prior_bench.sample.layouts import rsna_pneumonia as write_rsna_pneumonia
from prior_bench.sample.layouts import siim_acr as write_siim_acr
from prior_bench.sample.sizes import SIZES

FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")
OTHERS = (
    "Enlarged Cardiomediastinum",
    "Lung Lesion",
    "Lung Opacity",
    "Pneumonia",
    "Pneumothorax",
    "Pleural Other",
    "Fracture",
    "Support Devices",
)


def test_same_seed_same_patients():
    first, again = (draw_cohort("x", 20, VALIDATION, CaseMix()) for _ in range(2))
    assert first == again
    assert first != draw_cohort("x", 20, TEST, CaseMix())
    assert first != draw_cohort("y", 20, VALIDATION, CaseMix())


def test_data_sets_share_no_patient():
    size = SIZES["tiny"]
    writers = (write_mimic_cxr, write_chexpert, write_rsna_pneumonia, write_siim_acr)
    keys = [patient.key for writer in writers for patient in writer.cohort(size, SAMPLE)]
    assert len(keys) == len(set(keys))


def test_findings_persist_and_change():
    patients = draw_cohort("x", 200, VALIDATION, CaseMix())
    pairs = [s for p in patients for s in p.studies if s.prior]
    kept = [f for s in pairs for f in s.prior if s.has(f.kind)]
    assert len(kept) > 0.7 * sum(len(s.prior) for s in pairs)
    changed = [f for s in pairs for f in s.findings if f not in s.prior]
    assert changed and all(0 < f.severity < 1 for f in changed)
    for patient in patients:
        for before, after in zip(patient.studies, patient.studies[1:], strict=False):
            assert after.prior == before.findings


def test_split_is_by_patient_and_fills_every_split():
    patients = draw_cohort("x", 50, VALIDATION, CaseMix())
    splits = split_patients(patients, {"train": 0.8, "validate": 0.04, "test": 0.16}, 0)
    assert Counter(splits.values()) == {"train": 40, "validate": 2, "test": 8}
    assert splits == split_patients(patients, {"train": 0.8, "validate": 0.04, "test": 0.16}, 0)


def test_full_size_is_as_promised():
    views, studies = Counter(), Counter()
    for part, patients in write_mimic_cxr.cohorts(SIZES["default"], SAMPLE).items():
        studies[part] = sum(len(p.studies) for p in patients)
        views.update(v.position in FRONTAL for p in patients for s in p.studies for v in s.views)
    assert 1800 <= views[True] <= 2300 and views[False] > 40
    assert studies["test"] >= 400 and 100 < studies["validate"] < 200
    tested = write_chexpert.cohorts(SIZES["default"], SAMPLE)["valid"]
    assert sum(v.position in FRONTAL for p in tested for s in p.studies for v in s.views) >= 4 * 110


@pytest.mark.parametrize("benchmark", BENCHMARKS.values(), ids=BENCHMARKS)
def test_five_by_two_hundred_rule_finds_enough_images_per_class(benchmark):
    """GLoRIA's rule: the class positive, the four others and eight more observations not."""
    found = Counter()
    for patient in write_chexpert.cohorts(SIZES["default"], benchmark)["train"]:
        for study in patient.studies:
            labels = dict(
                zip(write_chexpert.LABELS, write_chexpert.study_labels(patient, study, "train"), strict=True)
            )
            positive = [c for c in (*FIVE, *OTHERS) if labels[c] in (1, -1)]
            if len(positive) == 1 and positive[0] in FIVE and labels[positive[0]] == 1:
                found[positive[0]] += sum(v.position in FRONTAL for v in study.views)
    assert min(found[c] for c in FIVE) >= PER_CLASS["default"], found


def test_findings_go_together_as_in_chexpert():
    """About a third of all images has a single finding; the rest as the most frequent pairs of its labels."""
    patients = draw_cohort("x", 800, VALIDATION, CaseMix())
    studies = [study for patient in patients for study in patient.studies]
    counts = [len({f.kind for f in s.findings} - {"foreign_object"}) for s in studies]
    assert 0.3 < np.mean([n == 1 for n in counts]) < 0.42
    assert 0.33 < np.mean([n > 1 for n in counts]) < 0.45

    def given(kind, other):
        return np.mean([s.has(other) for s in studies if s.has(kind)])

    assert given("effusion", "atelectasis") > 1.25 * np.mean([s.has("atelectasis") for s in studies])
    assert given("edema", "cardiomegaly") > 1.5 * np.mean([s.has("cardiomegaly") for s in studies])
    for kind in ("atelectasis", "cardiomegaly", "consolidation", "edema", "effusion", "lesion"):
        assert given(kind, "foreign_object") > 0.25
    assert np.mean([s.has("foreign_object") for s in studies if len(s.findings) > 2]) > 0.4


def test_some_consolidations_are_focal_and_remain_so():
    findings = [
        (f.seed, f.variant)
        for p in draw_cohort("x", 800, VALIDATION, CaseMix())
        for s in p.studies
        for f in s.findings
        if f.kind == "consolidation"
    ]
    assert 0.25 < np.mean([variant == "focal" for _, variant in findings]) < 0.45
    assert len(set(findings)) == len({seed for seed, _ in findings})
