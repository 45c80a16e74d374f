"""Phrase grounding from images to metrics, with maps that are known."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from dense_data import dense_manifest
from planted_maps import QUADRANTS, planted_maps, quadrant_box, quadrant_phrases

from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.statistics.bootstrap import interval
from prior_bench.suites import protocols
from tasks.grounding import EXAMPLES, Grounding

TASK = Grounding()
CLEAN = protocols.load("clean/grounding")
SIMILARITY = protocols.load("clean/grounding_similarity")


def with_phrases(data, phrases):
    """The same images with other phrases."""
    return dataclasses.replace(data, table=data.table.assign(phrases=pd.Series(phrases, dtype=object)))


def run(data, context, protocol=CLEAN, **backbone):
    TASK.check(data, protocol)
    return TASK.run(planted_maps(**backbone), data, protocol, context)


@pytest.mark.parametrize("kind", ["attention", "similarity", "similarity_global"])
def test_maps_of_the_regions_are_perfect(tmp_path, context, kind):
    result = run(
        quadrant_phrases(tmp_path), context, protocols.load("clean/grounding", {"options.map": kind})
    )
    for name in ("pixel_auroc", "pointing_game", "map_10_50"):
        assert result.metrics[name] == pytest.approx(1), name
    assert result.metrics["cnr"] == result.metrics["cnr_absolute"] > 3
    assert result.metrics["miou"] > 0.8, "less than 1 as the map is blurred by its enlargement"
    assert not result.undefined and result.split["map"] == kind
    assert result.split["phrases"] == 12 and result.split["phrases without a region in the input"] == 0
    whole = {name: value for name, value in result.trivial["chance"].items() if "/" not in name}
    assert whole == {
        "pixel_auroc": 0.5, "phrase_gain": 0.0, "pointing_game": 0.25, "cnr": 0.0,
        "miou": pytest.approx(0.2237, abs=1e-4),
    }  # fmt: skip
    assert {name for name in result.trivial["centre"] if "/" not in name} == set(CLEAN.metrics)
    assert result.trivial["centre"]["pixel_auroc"] == pytest.approx(0.5, abs=1e-3)


def test_maps_of_other_quadrants_are_worse_than_chance(tmp_path, context):
    result = run(quadrant_phrases(tmp_path), context, wrong=1)
    assert result.metrics["pixel_auroc"] < 0.4 and result.metrics["pointing_game"] == 0
    assert result.metrics["cnr"] < 0 < result.metrics["cnr_absolute"]


def test_a_map_that_does_not_depend_on_its_phrase_gains_nothing(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    looking = run(data, context)
    assert looking.metrics["phrase_gain"] > 0.4
    np.testing.assert_allclose(
        looking.predictions["phrase_gain"] > 0.3,
        np.ones(12, bool),
        err_msg="every phrase against its own other",
    )
    # of every phrase the same map, which is right for a quarter of the regions
    blind = run(data, context, always=0)
    assert blind.metrics["phrase_gain"] == 0 and blind.predictions["pixel_auroc"].max() > 0.9
    assert looking.trivial["centre"]["phrase_gain"] == looking.trivial["chance"]["phrase_gain"] == 0


def test_without_another_patients_phrase_the_gain_is_undefined(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    table = data.table.assign(patient_id="same")
    result = run(dataclasses.replace(data, table=table), context)
    assert "phrase_gain" in result.undefined and result.metrics["pixel_auroc"] > 0.99


def test_shuffled_phrases_change_the_metrics(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    phrases = list(data.table["phrases"])
    shuffled = [
        tuple(
            dataclasses.replace(one, text=other.text)
            for one, other in zip(some, phrases[(i + 2) % len(phrases)], strict=True)
        )
        for i, some in enumerate(phrases)
    ]
    right, wrong = run(data, context), run(with_phrases(data, shuffled), context)
    assert right.metrics["pixel_auroc"] > 0.99 and wrong.metrics["pixel_auroc"] < 0.7
    assert right.trivial["chance"] == wrong.trivial["chance"]


def test_each_phrase_is_a_sample_of_its_patient(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    found = run(data, context).predictions
    assert found["id"].tolist()[:3] == ["i0#0", "i0#1", "i1#0"] and len(set(found["id"])) == 12
    assert found["image_id"].tolist()[:3] == ["i0", "i0", "i1"]
    assert found["patient_id"].tolist() == [f"p{i // 2}" for i in range(6) for _ in range(2)]
    assert found["phrase"][2] == "Opacity in the upper right." and found["category"][2] == "upper right"
    assert found["share"].tolist() == [0.25] * 12


def test_findings_have_values_of_their_own(tmp_path, context):
    result = run(quadrant_phrases(tmp_path), context)
    assert result.predictions["meta_classes"].tolist() == sorted(QUADRANTS)
    found = result.predictions["pixel_auroc"].copy()
    found[result.predictions["category"] == QUADRANTS[1]] = 0
    values = TASK.score({**result.predictions, "pixel_auroc": found}, ("pixel_auroc", "miou"))
    assert values[f"pixel_auroc/{QUADRANTS[1]}"] == 0 and values[f"pixel_auroc/{QUADRANTS[0]}"] == 1
    assert values["pixel_auroc"] == pytest.approx(found.mean()) and found.mean() < 1
    assert f"miou/{QUADRANTS[0]}" not in values
    assert result.trivial["chance"][f"pixel_auroc/{QUADRANTS[0]}"] == 0.5
    assert f"cnr/{QUADRANTS[0]}" in result.trivial["centre"]
    one = {**result.predictions, "meta_classes": np.array([QUADRANTS[0]])}
    assert set(TASK.score(one, ("pixel_auroc",))) == {"pixel_auroc"}


def test_stored_predictions_can_be_rescored_and_resampled_by_patient(tmp_path, context):
    data = quadrant_phrases(tmp_path, images=12)
    result = TASK.run(mock_backbone(), data, SIMILARITY, context)
    again = TASK.score(result.predictions, SIMILARITY.metrics)
    assert again == result.metrics
    bounds = interval(lambda p: TASK.score(p, ("pixel_auroc",)), result.predictions, n=50)["pixel_auroc"]
    assert bounds[0] <= result.metrics["pixel_auroc"] <= bounds[1] and bounds[0] < bounds[1]
    cosines = TASK.score(result.predictions, ("miou_biovil",))
    assert 0 <= cosines["miou_biovil"] < 1
    assert "miou_biovil" not in run(data, context).predictions, "attention has no cosines"


def test_examples_are_kept_for_the_report(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    found = run(data, context).predictions
    assert found["example_row"].tolist() == [0, 2, 4, 6, 8, 11] and len(found["example_row"]) == EXAMPLES
    assert found["example_map"].shape == (6, 8, 8) and found["example_map"].dtype == np.float16
    side = int(found["meta_size"])
    for n, row in enumerate(found["example_row"]):
        region = np.unpackbits(found["example_region"][n], count=side * side).reshape(side, side)
        x1, y1, x2, y2 = map(int, quadrant_box(QUADRANTS.index(str(found["category"][row])), side, side))
        assert region[y1:y2, x1:x2].all() and region.sum() == side * side / 4


def test_padding_does_not_count(tmp_path, context):
    data = quadrant_phrases(tmp_path, height=32)
    result = run(data, context, resize="pad")
    assert result.predictions["share"].tolist() == [0.25] * 12, "of the image, not of the square"
    # the quadrants of the square are wider than those of the image in it
    assert result.metrics["pixel_auroc"] > 0.95


def test_a_region_that_is_cropped_away_is_left_out(tmp_path, context):
    data = quadrant_phrases(tmp_path, images=2, width=128)
    edge = GroundedPhrase("Opacity in the upper left.", ((0, 0, 20, 64),), None, "edge")
    whole = GroundedPhrase("Opacity in the upper left.", ((0, 0, 128, 64),), None, "whole")
    data = with_phrases(data, [(edge, *data.table["phrases"][0]), (whole,)])
    result = run(data, context, resize="crop")
    assert np.isnan(result.predictions["share"][[0, 3]]).all()
    assert np.isnan(result.predictions["pixel_auroc"][[0, 3]]).all()
    assert np.isfinite(result.predictions["share"][[1, 2]]).all()
    assert result.split["phrases"] == 4 and result.split["phrases without a region in the input"] == 2
    assert np.isfinite(result.metrics["pixel_auroc"]) and "pixel_auroc/edge" not in result.metrics


def test_without_any_usable_region_nothing_is_printed(tmp_path, context):
    data = quadrant_phrases(tmp_path, images=2)
    data = with_phrases(data, [(GroundedPhrase("Opacity in the upper left.", ((0, 0, 64, 64),)),)] * 2)
    result = run(data, context)
    assert result.metrics == {} and set(result.undefined) == set(CLEAN.metrics)
    assert "no region leaves pixels" in result.undefined["cnr"]
    assert result.trivial == {"chance": {}, "centre": {}}


def test_the_mask_is_the_region_unless_boxes_are_asked_for(tmp_path, context):
    data = quadrant_phrases(tmp_path, images=2, masks=True)
    small = [
        tuple(dataclasses.replace(one, boxes=((0, 0, 8, 8),)) for one in some)
        for some in data.table["phrases"]
    ]
    data = with_phrases(data, small)
    assert run(data, context).predictions["share"].tolist() == [0.25] * 4
    boxes = protocols.load("clean/grounding", {"options.region": "boxes"})
    assert run(data, context, boxes).predictions["share"].tolist() == [1 / 64] * 4


def test_images_without_phrases_are_no_samples(tmp_path, context):
    data = quadrant_phrases(tmp_path, images=4)
    phrases = list(data.table["phrases"])
    phrases[1], phrases[2] = None, ()
    result = run(with_phrases(data, phrases), context)
    assert result.split["test"] == 2 and result.split["phrases"] == 4
    assert set(result.predictions["image_id"]) == {"i0", "i3"}


# --- prompts ----------------------------------------------------------------------------------------------


@pytest.fixture
def prompts(tmp_path):
    """Two prompts for a pneumonia and none for anything else."""
    path = tmp_path / "prompts.json"
    path.write_text(
        '{"name": "two", "version": 3, "source": "test",'
        ' "classes": {"pneumonia": ["Opacity in the upper left.", "Opacity in the lower right."]}}'
    )
    return protocols.load("clean/grounding_prompts", {"options.prompts": str(path)})


def boxed(folder, classes=("pneumonia", "other")):
    """Images with boxes of two classes; the second image has none, the third was not annotated."""
    data = quadrant_phrases(folder, images=4)
    boxes = [
        np.array([[0, 0, 32, 32, 0], [0, 0, 9, 9, 1], [32, 32, 64, 64, 0]], np.float32),
        np.zeros((0, 5), np.float32),
        None,
        np.array([[0, 0, 32, 32, 0]], np.float32),
    ]
    table = data.table.drop(columns="phrases").assign(boxes=pd.Series(boxes, dtype=object))
    return dataclasses.replace(data, table=table, box_classes=classes)


def test_prompts_turn_the_boxes_of_each_class_into_phrases(tmp_path, context, prompts):
    result = run(boxed(tmp_path), context, prompts)
    found = result.predictions
    assert found["id"].tolist() == ["i0#0", "i0#1", "i3#0", "i3#1"]
    assert found["phrase"][0] == "Opacity in the upper left." and set(found["category"]) == {"pneumonia"}
    assert found["share"].tolist() == [0.5, 0.5, 0.25, 0.25], "all boxes of a class are one region"
    assert found["pointing_game"].tolist() == [1, 1, 1, 0]
    assert TASK.versions(prompts) == {"prompts two": 3}
    assert prompts.options["prompts"]["name"] == "two", "the content is stored, not the path"
    assert result.split["prompts"].startswith("two v3, hash ")
    assert TASK.versions(CLEAN) == {}


def test_prompts_of_ones_own_take_the_place_of_the_protocols(tmp_path, context):
    content = {"pneumonia": {"positive": ["Opacity in the upper left."], "negative": ["Clear."]}}
    changes = TASK.with_prompts(content)
    found = run(boxed(tmp_path), context, protocols.load("clean/grounding_prompts", changes)).predictions
    assert set(found["phrase"]) == {"Opacity in the upper left."}
    assert TASK.with_prompts("boxed_findings") == {"options.prompts": "boxed_findings"}
    with pytest.raises(BenchError, match="no such prompt file"):
        TASK.with_prompts("nowhere.json")


def test_the_shipped_prompts_know_the_boxes_of_the_shipped_data_sets():
    from prior_bench.data.readers import nih_chestxray14
    from prior_bench.data.texts import prompts
    from prior_bench.sample.layouts import vindr_cxr

    known = prompts.load("boxed_findings").classes
    for classes in (("pneumonia",), ("foreign object",), nih_chestxray14.BOXED, vindr_cxr.LOCAL):
        assert set(classes) - {"Other lesion"} <= set(known)


def test_sample_boxes_by_prompts(tmp_path, context):
    (tmp_path / "data").mkdir()
    data = dataclasses.replace(dense_manifest(tmp_path / "data"), box_classes=("pneumonia",))
    protocol = protocols.load("demo/grounding_prompts", {"options.map": "similarity"})
    TASK.check(data, protocol)
    result = TASK.run(mock_backbone(size=64), data, protocol, context)
    assert 0 < result.metrics["pixel_auroc"] < 1
    assert set(result.predictions["phrase"]) == {"There is pneumonia."}


# --- what does not fit ------------------------------------------------------------------------------------


def test_what_does_not_fit_is_said(tmp_path, prompts):
    data, with_boxes = quadrant_phrases(tmp_path), boxed(tmp_path)
    with pytest.raises(
        BenchError, match="has boxes, but no phrases\n  fix: .*options.prompts=boxed_findings"
    ):
        TASK.check(with_boxes, CLEAN)
    with pytest.raises(
        BenchError, match="there are no boxes for options.prompts\n  fix: leave options.prompts"
    ):
        TASK.check(data, prompts)
    with pytest.raises(BenchError, match=r"no image .* has a box .* words for \(classes: lung, other\)"):
        TASK.check(dataclasses.replace(with_boxes, box_classes=("lung", "other")), prompts)
    with pytest.raises(BenchError, match="no image of the test split has a phrase"):
        TASK.check(with_phrases(data, [()] * 6), CLEAN)
    with pytest.raises(BenchError, match="split 'test' is empty"):
        TASK.check(dataclasses.replace(data, table=data.table.assign(split="train")), CLEAN)
    for phrase, what in (
        (GroundedPhrase("opacity"), "image i1: has the phrase 'opacity' without a region"),
        (GroundedPhrase("", ((0, 0, 1, 1),)), "image i1: has a phrase without text"),
        (GroundedPhrase("opacity", ((4, 0, 4, 9),)), "image i1: has a box without extent"),
    ):
        phrases = [(phrase,) if i == 1 else some for i, some in enumerate(data.table["phrases"])]
        with pytest.raises(BenchError, match=f"{what}.*\n  fix: prior-bench data check"):
            TASK.check(with_phrases(data, phrases), CLEAN)


def test_wrong_options_are_said(tmp_path):
    data = quadrant_phrases(tmp_path)
    for change, what in (
        (
            {"options.map": "gradcam"},
            "options.map: unknown choice 'gradcam'\n  fix: did you mean grad_cam",
        ),
        ({"options.region": "mask"}, "options.region: unknown choice 'mask'"),
        ({"options.prompts": "boxed"}, "unknown prompt set 'boxed'\n  fix: did you mean boxed_findings"),
        ({"metrics": ("pixel_aucroc",)}, "did you mean pixel_auroc"),
        ({"metrics": ("miou_biovil",)}, "'miou_biovil' thresholds cosines, and options.map is 'attention'"),
    ):
        with pytest.raises(BenchError, match=what):
            TASK.check(data, protocols.load("clean/grounding", change))


def test_a_backbone_that_lacks_what_the_protocol_asks_for_is_refused(tmp_path, context):
    from baselines.convirt import ConVIRT
    from baselines.convirt_released import ReleasedConVIRT
    from baselines.gloria import GLoRIA
    from baselines.medclip_released import ReleasedMedCLIP
    from baselines.mgca import MGCA
    from prior_bench.prior.model import PRIOR

    data = quadrant_phrases(tmp_path)
    with pytest.raises(BenchError, match="backbone 'mock': has no attention over the image"):
        TASK.run(mock_backbone(), data, CLEAN, context)
    for protocol in (CLEAN, SIMILARITY):
        assert [TASK.lacks(method, protocol) for method in (PRIOR, GLoRIA, MGCA)] == ["", "", ""]
        for method in (ConVIRT, ReleasedConVIRT, ReleasedMedCLIP):
            assert TASK.lacks(method, protocol) == "no local features"
