"""Phrase grounding through the public functions, and its gallery in the report."""

import numpy as np
import pytest
from planted_maps import planted_maps, quadrant_phrases

import prior_bench as pb
from prior_bench.mock import MockMethod
from prior_bench.registry import DATASETS
from prior_bench.report.html.galleries import kinds
from prior_bench.report.html.galleries.grounded import grounding
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.report.runs.units import unit_of
from prior_bench.store.store import Store


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A right and a wrong backbone on the same phrases, finished."""
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    folder = tmp_path / "quadrants"
    folder.mkdir()
    DATASETS.register_module(
        "quadrants", force=True, module=lambda root, *, split="default": quadrant_phrases(root, images=8)
    )
    for name, wrong in (("right", 0), ("wrong", 1)):
        result = pb.evaluate(
            planted_maps(wrong=wrong), "grounding", {"type": "quadrants", "root": str(folder)}, name=name
        )
        assert (result.metrics["pixel_auroc"] > 0.99) == (name == "right")
    return [run for run in reported_runs([Store.of("eval")]) if run.record]


def test_the_gallery_shows_map_region_and_value_of_each_backbone(runs):
    (gallery,) = kinds.galleries(runs)
    assert gallery.kind == "grounding" and not gallery.problem
    assert len(gallery.examples) == 6
    first = gallery.examples[0]
    assert first.title == "“Opacity in the upper left.”"
    captions = {answer.backbone: answer.caption for answer in first.answers}
    assert captions["right"] == "pixel AUROC 1.00; map 0.250 to 0.750"
    assert captions["wrong"].startswith("pixel AUROC 0.")
    for answer in first.answers:
        (mark,) = answer.picture.marks
        assert mark.kind == "true" and mark.path and answer.picture.uri.startswith("data:image/jpeg")


def test_a_phrase_without_a_map_says_so(runs):
    from prior_bench.report.html.galleries.examples import ComparedRuns

    compared = ComparedRuns(runs[:1])
    found = dict(compared.runs[0].predictions)
    found["example_map"] = np.full_like(found["example_map"], np.nan)
    compared.runs[0].predictions = found
    answers = [answer for example in grounding(compared) for answer in example.answers]
    assert {answer.caption for answer in answers} == {"the backbone gives no map of this phrase"}
    assert all(answer.picture is None for answer in answers)


def test_phrases_are_resampled_by_patient(runs):
    assert unit_of(runs[0]) == "patient"


def test_a_backbone_without_the_maps_of_the_protocol_is_refused_before_any_work(runs):
    data = dict(runs[0].spec["data"])
    with pytest.raises(pb.BenchError, match="MockMethod: cannot be evaluated: no attention over the image"):
        pb.evaluate(MockMethod(), "grounding", data)
    found = pb.evaluate(MockMethod(), "grounding", data, protocol="clean/grounding_similarity")
    assert 0 < found.metrics["pixel_auroc"] < 1
