"""Classification with k images per class: the probe, a head and fine-tuning, from one image per class on."""

import dataclasses

import numpy as np
import pytest
from tiny_data import CLASSES, tiny_manifest

from prior_bench.mock import mock_backbone
from prior_bench.statistics.bootstrap import interval
from prior_bench.suites import protocols
from tasks.classification import Classification

TASK = Classification()
PROBE = protocols.load("clean/linear_probe", {"head.strengths": [0.01, 1.0]})
SHORT = {"batch_size": 12, "stopping": {"iterations": 4, "interval": 2}}
FINETUNE = protocols.load("demo/finetune", {**SHORT, "head.norm": "layer"})
BATCH_NORM = protocols.load("demo/finetune", SHORT)


def few(context, shots, seed=0):
    return dataclasses.replace(context, shots=shots, seed=seed)


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("shots", [1, 4])
def test_the_probe_learns_from_the_drawn_images_alone(tmp_path, context, exclusive, shots):
    data = tiny_manifest(tmp_path, exclusive=exclusive)
    backbone = mock_backbone()
    result = TASK.run(backbone, data, PROBE, few(context, shots))
    ids = result.predictions["meta_train_id"]
    drawn = data.table.set_index("id").loc[ids]
    assert set(drawn["split"]) == {"train"}
    assert result.split["few_shot"]["train"][CLASSES[0]] == drawn[CLASSES[0]].sum() >= shots
    if exclusive:
        assert len(ids) == 2 * shots and drawn[CLASSES[0]].sum() == shots
    valid = data.table.set_index("id").loc[result.predictions["meta_valid_id"]]
    assert set(valid["split"]) == {"valid"}
    assert len(valid) <= min(shots, 4) * 3
    assert (result.split["train"], result.split["valid"], result.split["test"]) == (len(ids), len(valid), 12)
    assert backbone.image_encoder.images_seen == len(ids) + len(valid) + 12, "no other image is looked at"
    assert result.metrics["auroc"] > 0.8
    bounds = interval(lambda p: TASK.score(p, ("auroc",)), result.predictions, n=20)
    assert bounds["auroc"][0] <= result.metrics["auroc"] <= bounds["auroc"][1]


def test_draws_are_those_of_the_seed_whatever_the_backbone_and_nested(tiny, context):
    def ids(shots, seed, weights=0):
        result = TASK.run(mock_backbone(seed=weights), tiny, PROBE, few(context, shots, seed))
        return set(result.predictions["meta_train_id"])

    two = ids(2, 0)
    assert two == ids(2, 0, weights=1) and two < ids(4, 0)
    assert any(two != ids(2, seed) for seed in (1, 2))


def test_permuted_test_labels_leave_draw_and_scores_as_they_are(tiny, context):
    table = tiny.table.copy()
    test = table["split"] == "test"
    table.loc[test, list(CLASSES)] = table.loc[test, list(CLASSES)].to_numpy()[::-1]
    mixed = dataclasses.replace(tiny, table=table)
    one, two = (TASK.run(mock_backbone(), data, PROBE, few(context, 2)) for data in (tiny, mixed))
    for name in ("meta_train_id", "meta_valid_id", "score", "meta_thresholds"):
        np.testing.assert_array_equal(one.predictions[name], two.predictions[name])


def test_validation_may_be_the_whole_split(tiny, context):
    whole = protocols.load("clean/linear_probe", {"few_shot.validation": "full"})
    assert TASK.run(mock_backbone(), tiny, whole, few(context, 1)).split["valid"] == 12


@pytest.mark.parametrize("protocol", [FINETUNE, BATCH_NORM])
@pytest.mark.parametrize("exclusive", [False, True])
def test_fine_tuning_on_one_image_per_class(tmp_path, context, protocol, exclusive):
    data = tiny_manifest(tmp_path, exclusive=exclusive)
    result = TASK.run(mock_backbone(), data, protocol, few(context, 1))
    assert result.split["train"] in (2, 3)
    assert np.isfinite(result.predictions["score"]).all()
    assert np.isfinite(result.metrics["auroc"])
    assert [np.isfinite(entry["auroc"]) for entry in result.history] == [True, True]
