"""Zero-shot classification uses no label, and an image's similarities depend on that image alone."""

import json
from dataclasses import replace

import numpy as np
import pytest
from invariance import assert_equal, in_folder, opposite, rows_of, without
from tiny_data import CLASSES, tiny_manifest

from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.zero_shot import ZeroShot

TASK = ZeroShot()
SCORES = ("id", "score", "prompt_score", "meta_prompts", "meta_prompt_class", "example_embedding")


@pytest.fixture
def protocol(tmp_path):
    """Three prompts of each class."""
    path = tmp_path / "prompts.json"
    words = ("there is {}", "severe {} is seen", "findings of {}")
    classes = {name: [text.format(name.lower()) for text in words] for name in CLASSES}
    path.write_text(json.dumps({"name": "three", "version": 1, "source": "test", "classes": classes}))
    return protocols.load(
        "clean/zero_shot",
        {"options": {"prompts": str(path), "prompts_per_class": None}, "metrics": ("accuracy", "auroc")},
    )


@pytest.fixture(params=[False, True], ids=["multi_label", "exclusive"])
def data(request, tmp_path):
    (tmp_path / "data").mkdir()
    return tiny_manifest(tmp_path / "data", exclusive=request.param)


def run(data, protocol, context, name, **options):
    protocol = replace(protocol, options={**protocol.options, **options})
    return TASK.run(mock_backbone(), data, protocol, in_folder(context, name))


def test_test_labels_change_metrics_alone(data, protocol, context):
    first = run(data, protocol, context, "first")
    other = run(opposite(data, "test"), protocol, context, "other")
    assert_equal(first, other, SCORES)
    for name in CLASSES:
        assert first.metrics[f"auroc/{name}"] == pytest.approx(1 - other.metrics[f"auroc/{name}"])
        assert first.metrics[f"auroc/{name}"] != 0.5


def test_training_and_validation_rows_change_nothing(data, protocol, context):
    first = run(data, protocol, context, "first")
    turned = opposite(opposite(data, "train"), "valid")
    alone = turned.select((turned.table["split"] != "train").to_numpy())
    other = run(alone, protocol, context, "other")
    assert_equal(first, other, SCORES)
    assert first.metrics == other.metrics and first.trivial == other.trivial


@pytest.mark.parametrize("pooling", ["max", "mean"])
def test_other_test_rows_change_no_similarity(data, protocol, context, pooling):
    """Without standardisation nothing of an image depends on the others."""
    how = {"normalise": "none", "pooling": pooling}
    whole = run(data, protocol, context, "whole", **how)
    part = run(without(data, "test"), protocol, context, "part", **how)
    rows = rows_of(whole, part.predictions["id"])
    assert 0 < len(rows) < len(whole.predictions["id"])
    for name in ("score", "prompt_score", "target"):
        np.testing.assert_allclose(part.predictions[name], whole.predictions[name][rows], atol=1e-6)


def test_over_the_whole_set_other_rows_move_and_stretch_the_scores_of_a_class(data, protocol, context):
    """All that may change is an offset and a positive factor for each class: its ranking stays."""
    whole = run(data, protocol, context, "whole", normalise="whole_set")
    part = run(without(data, "test"), protocol, context, "part", normalise="whole_set")
    rows = rows_of(whole, part.predictions["id"])
    np.testing.assert_allclose(
        part.predictions["prompt_score"], whole.predictions["prompt_score"][rows], atol=1e-6
    )
    for c in range(len(CLASSES)):
        before, after = whole.predictions["score"][rows, c], part.predictions["score"][:, c]
        assert after.mean() == pytest.approx(0, abs=1e-4) and after.std() == pytest.approx(1, abs=1e-4)
        slope, offset = np.polyfit(before, after, 1)
        assert slope > 0 and not np.allclose(before, after, atol=1e-3)
        np.testing.assert_allclose(slope * before + offset, after, atol=1e-3)


def test_standardised_by_batch_only_the_own_batch_matters(data, protocol, context):
    protocol = replace(protocol, batch_size=4)
    whole = run(data, protocol, context, "whole", normalise="per_batch")
    test = np.flatnonzero(data.table["split"] == "test")
    part = data.select(np.setdiff1d(np.arange(len(data)), test[8:]))
    found = run(part, protocol, context, "part", normalise="per_batch")
    np.testing.assert_allclose(found.predictions["score"], whole.predictions["score"][:8], atol=1e-5)


def test_pooling_and_standardisation_are_those_of_the_protocol(data, protocol, context):
    for pooling, pool in (("max", np.max), ("mean", np.mean)):
        raw = run(data, protocol, context, "one", normalise="none", pooling=pooling).predictions
        similarity = raw["prompt_score"].reshape(len(raw["id"]), len(CLASSES), 3)
        np.testing.assert_allclose(raw["score"], pool(similarity, axis=2), atol=1e-6)
        scaled = run(data, protocol, context, "one", normalise="whole_set", pooling=pooling).predictions
        expected = (raw["score"] - raw["score"].mean(0)) / raw["score"].std(0)
        np.testing.assert_allclose(scaled["score"], expected, atol=1e-3)
