from collections import Counter

from prior_bench.sample.cohort import FRONTAL, CaseMix, draw_cohort, split_patients
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
    first, again = (draw_cohort("x", 20, 1, CaseMix()) for _ in range(2))
    assert first == again
    assert first != draw_cohort("x", 20, 2, CaseMix())
    assert first != draw_cohort("y", 20, 1, CaseMix())


def test_data_sets_share_no_patient():
    size = SIZES["tiny"]
    writers = (write_mimic_cxr, write_chexpert, write_rsna_pneumonia, write_siim_acr)
    keys = [patient.key for writer in writers for patient in writer.cohort(size, 0)]
    assert len(keys) == len(set(keys))


def test_findings_persist_and_change():
    patients = draw_cohort("x", 200, 0, CaseMix())
    pairs = [s for p in patients for s in p.studies if s.prior]
    kept = [f for s in pairs for f in s.prior if s.has(f.kind)]
    assert len(kept) > 0.7 * sum(len(s.prior) for s in pairs)
    changed = [f for s in pairs for f in s.findings if f not in s.prior]
    assert changed and all(0 < f.severity < 1 for f in changed)
    for patient in patients:
        for before, after in zip(patient.studies, patient.studies[1:], strict=False):
            assert after.prior == before.findings


def test_split_is_by_patient_and_fills_every_split():
    patients = draw_cohort("x", 50, 0, CaseMix())
    splits = split_patients(patients, {"train": 0.8, "validate": 0.04, "test": 0.16}, 0)
    assert Counter(splits.values()) == {"train": 40, "validate": 2, "test": 8}
    assert splits == split_patients(patients, {"train": 0.8, "validate": 0.04, "test": 0.16}, 0)


def test_identifiers_are_unique_at_full_size():
    patients = write_mimic_cxr.cohort(SIZES["default"], 0)
    subjects = [write_mimic_cxr.subject_id(p) for p in patients]
    studies = [write_mimic_cxr.study_id(p, s) for p in patients for s in p.studies]
    assert len(set(subjects)) == len(subjects) and all(10**7 <= s < 2 * 10**7 for s in subjects)
    assert len(set(studies)) == len(studies) and all(5 * 10**7 <= s < 6 * 10**7 for s in studies)


def test_full_size_is_as_promised():
    views = Counter(
        v.position in FRONTAL
        for p in write_mimic_cxr.cohort(SIZES["default"], 0)
        for s in p.studies
        for v in s.views
    )
    assert 1800 <= views[True] <= 2300 and views[False] > 40


def test_five_by_two_hundred_rule_finds_enough_images_per_class():
    """GLoRIA's rule: the class positive, the four others and eight more observations not."""
    found = Counter()
    for patient in write_chexpert.cohorts(SIZES["default"], 0)["train"]:
        for study in patient.studies:
            labels = dict(
                zip(write_chexpert.LABELS, write_chexpert.study_labels(patient, study, "train"), strict=True)
            )
            positive = [c for c in (*FIVE, *OTHERS) if labels[c] in (1, -1)]
            if len(positive) == 1 and positive[0] in FIVE and labels[positive[0]] == 1:
                found[positive[0]] += sum(v.position in FRONTAL for v in study.views)
    assert min(found[c] for c in FIVE) >= 40, found
