"""Splits, labels, label fractions, prompts, scores: ours equal the fixtures; wrong ones are told apart."""

from dataclasses import replace
from pathlib import Path

import pytest

from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols
from tasks.parity import data, drawn_annotations

FOLDER = Path(__file__).parents[1] / "golden/protocols"
RUNS = {
    (name, part): run for run in official_runs(FOLDER) for name in run.protocols for part in run.ingredients
}
SLOW = ("chexpert", "rsna_pneumonia")


def found(name, part, given=None, **changes):
    """What differs from the fixture under a changed protocol."""
    protocol = protocols.load(name)
    merged = {key: {**getattr(protocol, key), **value} for key, value in changes.items()}
    measured = RUNS[name, part].ingredients[part]
    ours = ingredients_of(protocol.task)[part].compute(
        replace(protocol, **merged), {**measured.given, **(given or {})}
    )
    return differing(ours, measured.expected, measured.tolerance)


def quick(name, part):
    return RUNS[name, part].ingredients[part].given.get("files") not in SLOW


MENDED = ("split", "labels", "label fraction", "test set", "prompts", "class embeddings", "candidates")
OURS = [
    pytest.param(name, part, marks=() if quick(name, part) else pytest.mark.slow)
    for name, part in sorted(RUNS)
    if part in MENDED
]


@pytest.mark.parametrize(("name", "part"), OURS)
def test_ours_equals_the_official_code(name, part):
    off = found(name, part)
    if (name, part) == ("gloria/linear_chexpert", "label fraction"):  # a named deviation
        assert off and all("train" in quantity for quantity in off)
    else:
        assert off == {}


@pytest.mark.parametrize(
    ("name", "part", "changes"),
    [
        ("mgca/linear_covidx", "split", {"split": {"rule": "default"}}),
        ("mgca/linear_covidx", "label fraction", {"fraction_sampler": {"seed": 43}}),
        ("mgca/linear_covidx", "label fraction", {"fraction_sampler": {"by": "choice"}}),
        ("mgca/linear_covidx", "label fraction", {"fraction_sampler": {"draws": 2}}),
        ("mgca/segmentation_siim", "split", {"split": {"rule": "default"}}),
        ("mgca/segmentation_siim", "label fraction", {"fraction_sampler": {"balanced": False}}),
        ("mgca/segmentation_siim", "label fraction", {"fraction_sampler": {"draws": 2}}),
        ("mgca/segmentation_siim_10", "label fraction", {"fraction_sampler": {"seed": 42}}),
        ("mgca/detection_object", "split", {"split": {"rule": "default"}}),
        ("mgca/detection_object", "label fraction", {"fraction_sampler": {"by": "first"}}),
        ("gloria/segmentation_siim", "label fraction", {"fraction_sampler": {"draws": 1}}),
        ("gloria/segmentation_siim", "label fraction", {"fraction_sampler": {"seed": 2}}),
        ("lovt/detection_frozen_object", "split", {"split": {"rule": "mgca"}}),
        (
            "lovt/detection_frozen_object",
            "label fraction",
            {"fraction_sampler": {"valid_share": 0.1, "always_valid_share": True}},
        ),
        ("benchx/segmentation_object", "split", {"split": {"rule": "mgca"}}),
        ("benchx/finetune_covidx", "split", {"split": {"rule": "default"}}),
        ("benchx/finetune_nih", "label fraction", {"fraction_sampler": {"by": "first"}}),
        ("gloria/zero_shot", "prompts", {"options": {"prompts": "chexpert_5x200_benchx"}}),
        ("gloria/zero_shot", "prompts", {"options": {"prompts_per_class": 4}}),
        ("gloria/zero_shot", "class embeddings", {"options": {"pooling": "mean"}}),
        ("gloria/zero_shot", "score", {"options": {"normalise": "none"}}),
        ("benchx/zero_shot", "prompts", {"options": {"prompts": "chexpert_5x200_gloria"}}),
        ("benchx/zero_shot", "score", {"options": {"normalise": "whole_set", "shuffled": False}}),
        ("benchx/zero_shot", "score", {"options": {"shuffled": False}}),
        ("clean/zero_shot_pairs", "prompts", {"options": {"prompts": "chexpert14_ensemble"}}),
        ("clean/zero_shot_pairs", "score", {"options": {"score": "similarity"}}),
        ("clean/zero_shot_pairs", "score", {"options": {"scale": 2.0}}),
    ],
)
def test_another_protocol_is_told_apart(name, part, changes):
    assert found(name, part, **changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "changes"),
    [
        ("gloria/linear_chexpert", "split", {"split": {"rule": "mgca"}}),
        ("gloria/zero_shot", "test set", {"split": {"rule": "mgca"}}),
        ("gloria/linear_rsna", "label fraction", {"fraction_sampler": {"draws": 1}}),
        ("mgca/linear_rsna", "split", {"split": {"rule": "mgca_detection"}}),
        ("mgca/segmentation_rsna", "label fraction", {"fraction_sampler": {"seed": 0}}),
        ("benchx/finetune_rsna", "label fraction", {"fraction_sampler": {"by": "rows"}}),
        ("lovt/detection_frozen_rsna", "label fraction", {"fraction_sampler": {"always_valid_share": False}}),
    ],
)
def test_another_protocol_of_a_large_data_set_is_told_apart(name, part, changes):
    assert found(name, part, **changes)


@pytest.mark.parametrize("options", [{"agree": 2}, {"labels": ["Atelectasis"]}])
def test_the_suite_reads_vindr_as_benchx_does(monkeypatch, options):
    suite = data.suite_of({"suite": "benchx_classification"})
    for entry in suite.evaluations:
        if entry["protocol"] == "benchx/finetune_vindr":
            entry["data"] = {**entry["data"], **options}
    monkeypatch.setattr(data, "suite_of", lambda given: suite)
    assert found("benchx/finetune_vindr", "labels")


def test_the_seed_of_the_prompts_is_that_of_the_suite(monkeypatch):
    from tasks.parity import prompted

    monkeypatch.setattr(prompted, "seeds_of", lambda suite, entry: [0])
    assert "seeds" in found("gloria/zero_shot", "prompts")


@pytest.mark.parametrize("part", ["score", "metric"])
def test_swapped_partners_of_retrieval_are_told_apart(part):
    given = dict(RUNS["benchx/retrieval", part].ingredients[part].given)
    key = "texts" if part == "score" else "targets"
    assert found("benchx/retrieval", part) == {}
    assert found("benchx/retrieval", part, {key: given[key][1:] + given[key][:1]})


def test_ones_own_report_must_count():
    assert found("benchx/retrieval", "metric", options={"exclude_self": True})


@pytest.mark.parametrize("kind", ["siim_acr", "vindr_cxr"])
def test_the_drawn_files_are_always_the_same(kind, tmp_path):
    first, second = (drawn_annotations.write(kind, tmp_path / name) for name in "ab")
    written = [p for p in sorted(first.rglob("*")) if p.is_file() and p.stat().st_size]
    assert written
    for path in written:
        assert path.read_bytes() == (second / path.relative_to(first)).read_bytes()
