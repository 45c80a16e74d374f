"""docs/data_sets.md says of the sample what is so; run this file as a program to print its table."""

import re
from pathlib import Path

import numpy as np

from prior_bench.sample import OPTIONS, PER_CLASS, STUDY_OPTIONS, VERSION, sample_options
from prior_bench.sample.cohort import FRONTAL
from prior_bench.sample.cohorts import BENCHMARKS, PRETRAINING, STUDY, TEST, VALIDATION
from prior_bench.sample.generate import WRITERS
from prior_bench.sample.layouts import chexpert, mimic_cxr
from prior_bench.sample.sizes import SIZES, size_of

PAGE = Path(__file__).parents[2] / "docs" / "data_sets.md"
SIZE = SIZES["default"]


def frontal(patients):
    return sum(view.position in FRONTAL for p in patients for study in p.studies for view in study.views)


def splits(name, benchmark):
    """Frontal images in train, valid and test, from the cohorts alone: nothing is drawn."""
    size = size_of("default", benchmark)
    if name == "mimic_cxr":
        return [frontal(patients) for patients in mimic_cxr.cohorts(size, benchmark).values()]
    if name == "chexpert":
        parts = chexpert.cohorts(size, benchmark)
        # the reader's rule: a tenth of the patients of train.csv, in a seeded order, validates
        names = np.array(sorted(f"patient{patient.number + 1:05d}" for patient in parts["train"]))
        order = names[np.random.default_rng(0).permutation(len(names))]
        ours = {f"patient{patient.number + 1:05d}": patient for patient in parts["train"]}
        bound = int(np.rint(0.9 * len(order)))
        train, valid = ([ours[name] for name in part] for part in (order[:bound], order[bound:]))
        return [frontal(train), frontal(valid), frontal(parts["valid"])]
    count = frontal(WRITERS[name].cohort(size, benchmark))
    bounds = np.rint(np.cumsum(sample_options(name, benchmark)["shares"]) * count).astype(int)
    return np.diff(bounds, prepend=0).tolist()


def table():
    return [
        f"| `{generator}:{name}` | " + " | ".join(f"{n:,}" for n in splits(name, benchmark)) + " |"
        for generator, benchmark in BENCHMARKS.items()
        for name in WRITERS
    ]


def test_the_table_of_sizes_is_true():
    lines = PAGE.read_text().splitlines()
    assert [line for line in lines if re.match(r"\| `sample\w*:\w+` \|", line)] == table()


def test_seeds_version_and_counts_are_true():
    text = " ".join(PAGE.read_text().split())
    for cohort in (PRETRAINING, VALIDATION, TEST, STUDY):
        assert f"| {cohort.name} | {cohort.seed} |" in text
    assert f"`sample-{VERSION}`" in text and f"`sample-{VERSION}-validation`" in text
    assert f"`sample-{VERSION}-study`" in text
    assert f"CheXpert 5x200 has {PER_CLASS['default']} images per class" in text
    assert f"*Images*: {SIZE.side} x {SIZE.side} pixels" in text
    assert OPTIONS["rsna_pneumonia"] == OPTIONS["siim_acr"]
    for options in (OPTIONS["siim_acr"], STUDY_OPTIONS["rsna_pneumonia"]):
        assert f"`shares={options['shares']}`" in text


if __name__ == "__main__":
    print("\n".join(table()))
