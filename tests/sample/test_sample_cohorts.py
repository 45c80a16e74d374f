"""Nobody is in two cohorts: neither a person nor an identifier, and the leakage check sees it."""

import shutil

import pytest

from prior_bench.data.open import open_dataset
from prior_bench.data.references import resolve
from prior_bench.registry import GENERATORS
from prior_bench.sample import VERSION, benchmark_folder, sample_options, sample_root
from prior_bench.sample.cohorts import (
    APART,
    BENCHMARKS,
    PRETRAINING,
    SAMPLE,
    SAMPLE_STUDY,
    SAMPLE_VALIDATION,
    STUDY,
    TEST,
)
from prior_bench.sample.generate import FURTHER, WRITERS, generate
from prior_bench.sample.layouts import mimic_cxr
from prior_bench.sample.sizes import SIZES, size_of
from prior_bench.suites.leakage import leaks_of_pretraining, patient_space

OTHERS = {"sample_validation": SAMPLE_VALIDATION, "sample_study": SAMPLE_STUDY}


def people(name, benchmark):
    return ({**WRITERS, **FURTHER}[name]).cohort(size_of("default", benchmark), benchmark)


def test_the_test_cohorts_stay_what_they_are():
    assert (PRETRAINING.seed, TEST.seed, STUDY.seed) == (0, 2026, 20261201)
    assert SAMPLE_STUDY.test == STUDY
    assert SAMPLE.pretraining == PRETRAINING and SAMPLE.test == TEST
    used = [cohort for b in BENCHMARKS.values() for cohort in (b.pretraining, b.test)]
    assert len({c.seed for c in used}) == len({c.first for c in used}) == len(set(used)) == 4


@pytest.mark.parametrize("name", (*WRITERS, *FURTHER))
def test_no_number_is_given_to_two_patients(name):
    numbers = [
        (type(p.studies), p.number) if name != "chexpert" else (part, p.number)
        for benchmark in BENCHMARKS.values()
        for part, patients in (
            WRITERS[name].cohorts(size_of("default", benchmark), benchmark)
            if name == "chexpert"
            else {"": people(name, benchmark)}
        ).items()
        for p in patients
    ]
    assert len(numbers) == len(set(numbers)) and max(number for _, number in numbers) < 3 * APART


def test_cohorts_share_no_person():
    """By what is drawn of them, in every data set at once."""
    drawn = [
        (p.anatomy, p.age, p.studies)
        for name in (*WRITERS, *FURTHER)
        for benchmark in BENCHMARKS.values()
        for p in people(name, benchmark)
    ]
    assert len(drawn) == len(set(drawn))


def test_identifiers_of_mimic_are_unique_over_all_cohorts_and_of_the_right_form():
    patients = [p for benchmark in BENCHMARKS.values() for p in people("mimic_cxr", benchmark)]
    subjects = [mimic_cxr.subject_id(p) for p in patients]
    studies = [mimic_cxr.study_id(p, s) for p in patients for s in p.studies]
    images = [mimic_cxr.dicom_id(p, s, i) for p in patients for s in p.studies for i in range(len(s.views))]
    assert len(set(subjects)) == len(subjects) and all(10**7 <= s < 2 * 10**7 for s in subjects)
    assert len({subject // 10**6 for subject in subjects}) == 10, "all folders from p10 to p19"
    assert len(set(studies)) == len(studies) and all(5 * 10**7 <= s < 6 * 10**7 for s in studies)
    assert len(set(images)) == len(images)


def test_the_study_has_as_many_patients_to_train_on_and_three_times_as_many_to_test_on():
    size, larger = SIZES["default"], size_of("default", SAMPLE_STUDY)
    other = {"chexpert_valid": 3 * size.chexpert_valid, "rsna": 1000}
    assert vars(larger) == {**vars(size), **other} and size_of("default", SAMPLE) == size
    assert all(size_of("tiny", benchmark) == SIZES["tiny"] for benchmark in BENCHMARKS.values())

    def splits(benchmark):
        options, patients = sample_options("rsna_pneumonia", benchmark), people("rsna_pneumonia", benchmark)
        return [round(share * len(patients)) for share in options["shares"]]

    assert splits(SAMPLE) == splits(SAMPLE_VALIDATION) == [254, 53, 223]
    assert splits(SAMPLE_STUDY) == [255, 55, 690]


@pytest.fixture(scope="module")
def both(tiny_sample, tmp_path_factory):
    """All benchmarks in the tiny size under one data root."""
    root = tmp_path_factory.mktemp("both")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIOR_BENCH_DATA", str(root))
        patch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
        shutil.copytree(tiny_sample, benchmark_folder("tiny"))
        for benchmark in OTHERS.values():
            generate(benchmark_folder("tiny", benchmark), "tiny", benchmark)
        yield root


def test_each_benchmark_has_a_folder_of_its_own(both):
    names = {f"sample-{VERSION}-{part}tiny" for part in ("", "validation-", "study-")}
    assert {path.name for path in both.iterdir()} == names
    assert sample_root("chexpert", SAMPLE_VALIDATION).parent.name == f"sample-{VERSION}-validation-tiny"
    readme = (benchmark_folder("tiny", SAMPLE_VALIDATION) / "README.txt").read_text()
    assert readme.startswith("SYNTHETIC") and "validation cohort (seed 1)" in readme


@pytest.mark.parametrize("other", OTHERS)
def test_the_others_are_generators_like_the_first(both, other):
    assert {"sample", other} <= set(GENERATORS.names())
    for name in WRITERS:
        first, second = (open_dataset(f"{g}:{name}") for g in ("sample", other))
        assert second.synthetic and second.name == f"{name} ({OTHERS[other].remark})" != first.name
        assert first.versions == second.versions == {"generator": int(VERSION)}
        assert not set(first.table["patient_id"]) & set(second.table["patient_id"]), name
        assert not set(first.table["id"]) & set(second.table["id"]), name


class Seen:
    """A backbone that was pre-trained on a part of the sample."""

    def __init__(self, *splits):
        self.splits = splits

    def training_data(self):
        return [{"dataset": "sample:mimic_cxr", "splits": self.splits}]


def test_the_leakage_check_compares_cohorts_and_finds_nothing(both):
    for reference in ("sample:mimic_cxr", "sample_validation:mimic_cxr", "sample_study:mimic_cxr"):
        manifest = open_dataset(reference)
        assert patient_space(resolve(reference)) == "synthetic mimic_cxr"
        assert not leaks_of_pretraining(Seen("train", "valid"), resolve(reference), manifest)
    (leak,) = leaks_of_pretraining(
        Seen("test"), resolve("sample:mimic_cxr"), open_dataset("sample:mimic_cxr")
    )
    assert leak.certain and "were seen in pre-training" in leak.text
