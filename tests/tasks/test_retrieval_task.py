import dataclasses

import numpy as np
import pytest
import torch
from planted import Planted, numbered_images, planted_backbone
from tiny_methods import build

from prior_bench.api import Features
from prior_bench.errors import BenchError
from prior_bench.features.score_blocks import global_alone
from prior_bench.mock import mock_backbone
from prior_bench.statistics.bootstrap import interval
from prior_bench.suites import protocols
from tasks.retrieval import DIRECTIONS, Retrieval

TASK = Retrieval()
CLEAN = protocols.load("clean/retrieval")


def with_options(**options):
    return protocols.load("clean/retrieval", {"options": options})


def studies(folder, numbers, reports=None, **columns):
    reports = reports or [(f"Study {n}.",) for n in numbers]
    return numbered_images(folder, numbers, report=reports, **columns)


def test_matching_embeddings_find_their_counterparts(tmp_path, context):
    data = studies(tmp_path, list(range(15)))
    TASK.check(data, CLEAN)
    result = TASK.run(planted_backbone(), data, CLEAN, context)
    for direction in DIRECTIONS:
        assert result.metrics[f"recall_at_1/{direction}"] == 1
        assert result.metrics[f"median_rank/{direction}"] == 1
    assert result.predictions["top_texts"].shape == (15, 10)
    assert result.predictions["top_texts"][:, 0].tolist() == list(range(15))
    assert "precision_at_1" not in result.metrics, "no labels, no class match"
    assert result.trivial["chance"]["recall_at_5"] == pytest.approx(5 / 15)
    assert result.split["pool"] == 15


def test_known_mistakes_by_hand(tmp_path, context):
    # image 3 looks like 2, so report 3 is as far from it as all the others but report 2
    data = studies(tmp_path, list(range(4)))
    result = TASK.run(planted_backbone(wrong={3: 2}), data, CLEAN, context)
    image_to_text = result.predictions["image_to_text_rank"]
    assert image_to_text.tolist() == [1, 1, 1, 3]  # the mean of the places 2, 3 and 4
    # report 2 finds images 2 and 3, tied; report 3 finds nothing: all four images are tied
    assert result.predictions["text_to_image_rank"].tolist() == [1, 1, 1.5, 2.5]
    assert result.metrics["recall_at_1/image_to_text"] == 0.75
    assert result.metrics["recall_at_1/text_to_image"] == pytest.approx((1 + 1 + 1 / 2 + 1 / 4) / 4)
    assert result.metrics["recall_at_1"] == pytest.approx((0.75 + 2.75 / 4) / 2)


def test_equal_reports_share_their_place(tmp_path, context):
    numbers = [0, 1, 2, 3, 4]
    reports = [("Normal 0.",), ("Normal 0.",), ("Study 2.",), ("Study 3.",), ("Study 4.",)]
    result = TASK.run(planted_backbone(wrong={1: 0}), studies(tmp_path, numbers, reports), CLEAN, context)
    assert result.split["distinct_texts"] == 4
    assert result.predictions["image_to_text_ties"].tolist() == [1, 1, 0, 0, 0]
    assert result.metrics["recall_at_1/image_to_text"] == pytest.approx((0.5 + 0.5 + 3) / 5)


def test_class_match_with_and_without_the_query_itself(tmp_path, context):
    labels = {"labels": ("Edema",), "targets": [[1], [1], [0], [0], [np.nan]]}
    data = studies(tmp_path, list(range(5)), **labels)
    itself = TASK.run(planted_backbone(), data, with_options(exclude_self=False), context)
    assert itself.metrics["precision_at_1"] == itself.metrics["hit_at_1"] == 1
    assert itself.metrics["precision_at_5"] == pytest.approx((2 * 2 + 3 * 3) / 25)
    assert itself.trivial["chance"]["precision_at_1"] == pytest.approx((2 * 2 + 3 * 3) / 25)
    others = TASK.run(planted_backbone(), data, CLEAN, context)
    assert others.metrics["precision_at_10"] == pytest.approx((2 * 1 + 3 * 2) / 20)
    assert others.trivial["chance"]["precision_at_1"] == pytest.approx((2 * 1 + 3 * 2) / 20)
    assert others.predictions["top_texts"][:, 0].tolist() == list(range(5)), "shown with itself"


def test_one_frontal_image_per_study(tmp_path, context):
    data = studies(
        tmp_path,
        list(range(6)),
        study_id=["a", "a", "b", "b", "c", "d"],
        view=["LATERAL", "PA", "AP", "PA", "LATERAL", "PA"],
        reports=[("Study 1.",)] * 2 + [("Study 2.",)] * 2 + [("Study 4.",), ()],
    )
    result = TASK.run(planted_backbone(), data, CLEAN, context)
    assert result.predictions["id"].tolist() == ["i1", "i2", "i4"]


def test_pool_of_a_size_is_drawn_by_its_own_seed(tmp_path, context):
    data = studies(tmp_path, list(range(15)))
    first = TASK.run(planted_backbone(), data, with_options(pool=6), context)
    again = TASK.run(planted_backbone(), data, with_options(pool=6), dataclasses.replace(context, seed=9))
    other = TASK.run(planted_backbone(), data, with_options(pool=6, pool_seed=1), context)
    assert first.predictions["id"].tolist() == again.predictions["id"].tolist()
    assert first.predictions["id"].tolist() != other.predictions["id"].tolist()
    assert first.trivial["chance"]["recall_at_1"] == pytest.approx(1 / 6)
    assert first.split["hash"] != other.split["hash"]


def test_an_untrained_method_is_near_chance(tiny, context):
    table = tiny.table.assign(split="test")
    data = dataclasses.replace(tiny, table=table)
    runs = [TASK.run(mock_backbone(seed=seed), data, CLEAN, context) for seed in range(4)]
    recall = np.mean([run.metrics["recall_at_5"] for run in runs])
    assert recall == pytest.approx(runs[0].trivial["chance"]["recall_at_5"], abs=0.08)


def test_scores_come_back_from_predictions_and_can_be_resampled(tiny, context):
    result = TASK.run(mock_backbone(), tiny, CLEAN, context)
    again = TASK.score(result.predictions, CLEAN.metrics)
    assert again == result.metrics
    bounds = interval(lambda p: TASK.score(p, ("recall_at_5", "hit_at_5")), result.predictions, n=50)
    assert bounds["recall_at_5"][0] <= result.metrics["recall_at_5"] <= bounds["recall_at_5"][1]


def test_a_pool_of_one_label_group_leaves_class_matches_out(tmp_path, context):
    data = studies(tmp_path, list(range(4)), labels=("Edema",), targets=np.ones((4, 1)))
    result = TASK.run(planted_backbone(), data, CLEAN, context)
    assert result.metrics["recall_at_1"] == 1
    assert not any(name.startswith(("precision", "hit")) for name in result.metrics)
    assert "all candidates have the same labels" in result.undefined["precision_at_1"]
    assert set(result.trivial["chance"]) == {m for m in CLEAN.metrics if m not in result.undefined}
    none = TASK.run(planted_backbone(), studies(tmp_path, list(range(4))), CLEAN, context)
    assert none.undefined["hit_at_5"] == "the data set has no labels"


def test_what_does_not_fit_is_said(tmp_path):
    data = studies(tmp_path, list(range(4)), labels=("Edema",), targets=np.ones((4, 1)))
    with pytest.raises(BenchError, match="a pool of 9 was requested, but the test split has 4"):
        TASK.check(data, with_options(pool=9))
    with pytest.raises(BenchError, match="options.pool: is 'all'; must be 'test_split' or"):
        TASK.check(data, with_options(pool="all"))
    with pytest.raises(BenchError, match="(?s)options.match_labels: .*did you mean Edema"):
        TASK.check(data, with_options(match_labels=["Edma"]))
    with pytest.raises(BenchError, match="did you mean recall_at_5"):
        TASK.check(data, dataclasses.replace(CLEAN, metrics=("recal_at_5",)))


class Looking(Planted):
    """Every sentence looks at the patch of its image's number."""

    attention_over = "sentences"

    def encode_image(self, images):
        features = super().encode_image(images)
        return features._replace(local=features.global_[:, :4, None])

    def encode_text(self, text):
        features = super().encode_text(text)
        return features._replace(local=features.global_[:, None])

    def attention(self, image, text):
        return image.local.mT


def test_examples_of_attention_are_kept_where_the_method_shows_it(tmp_path, context):
    data = studies(tmp_path, list(range(10)))
    backbone = planted_backbone()
    assert not any(
        name.startswith("example") for name in TASK.run(backbone, data, CLEAN, context).predictions
    )
    found = TASK.run(dataclasses.replace(backbone, method=Looking()), data, CLEAN, context).predictions
    assert found["example_row"].tolist() == [0, 3, 6, 9]
    assert found["example_attention_text"].tolist() == [
        ["Study 0."],
        ["Study 3."],
        ["Study 6."],
        ["Study 9."],
    ]
    assert found["example_attention"].shape == (4, 1, 2, 2)
    assert found["example_attention"][1, 0].tolist() == [[0, 0], [0, 1]]
    assert "example_written" not in found and TASK.score(found, ("recall_at_1",))["recall_at_1"] == 1


def test_the_smallest_pool_has_two_studies(tmp_path, context):
    data = studies(tmp_path, [0, 1])
    for pool in (2, "test_split"):
        TASK.check(data, with_options(pool=pool))
        assert TASK.run(planted_backbone(), data, with_options(pool=pool), context).split["pool"] == 2
    for pool in (1, 0, 2.0):
        with pytest.raises(BenchError, match="options.pool: is"):
            TASK.check(data, with_options(pool=pool))
    with pytest.raises(BenchError, match="fewer than two studies"):
        TASK.check(data.select([0]), with_options(pool="test_split"))


@pytest.mark.parametrize("exclude_self", [False, True])
def test_a_large_pool_is_ranked_from_blocks_with_the_same_outcome(
    tmp_path, context, monkeypatch, exclude_self
):
    numbers = [0, 1, 2, 3, 4, 5, 6, 7]
    reports = [("Normal 0.",), ("Normal 0.",), *((f"Study {n}.",) for n in numbers[2:])]
    labels = dict(labels=("Edema",), targets=np.arange(8)[:, None] % 3 == 0)
    data = studies(tmp_path, numbers, reports, **labels)
    backbone, protocol = planted_backbone(wrong={1: 0, 5: 4}), with_options(exclude_self=exclude_self)
    whole = TASK.run(backbone, data, protocol, context)
    monkeypatch.setattr("prior_bench.features.score_blocks.LARGE", 10)
    monkeypatch.setattr("prior_bench.features.score_blocks.SCORES", 21)
    monkeypatch.setattr("prior_bench.features.similarity.similarity_matrix", None)
    parts = TASK.run(backbone, data, protocol, context)
    assert parts.metrics == whole.metrics and list(parts.predictions) == list(whole.predictions)
    for name, values in whole.predictions.items():
        assert np.array_equal(parts.predictions[name], values), name


def test_scores_of_local_features_are_not_ranked_from_blocks():
    images, texts = Features(torch.eye(3), torch.ones(3, 2, 3)), Features(torch.eye(3), torch.ones(3, 2, 3))
    method = build("gloria").eval()
    assert global_alone(Planted(), images, texts)
    assert not global_alone(method, images, texts)
