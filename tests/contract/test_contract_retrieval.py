"""Retrieval: labels decide about Precision@K and Hit@K alone; a smaller pool keeps its order."""

from dataclasses import replace

import pytest
from invariance import assert_equal, in_folder, opposite, reordered, rows_of, without
from tiny_data import CLASSES, tiny_manifest

from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.retrieval import DIRECTIONS, Retrieval

TASK = Retrieval()
PROTOCOL = protocols.load("clean/retrieval")
RANKS = tuple(f"{direction}_{what}" for direction in DIRECTIONS for what in ("rank", "ties"))


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tiny_manifest(tmp_path / "data")


def run(data, context, name, **options):
    protocol = replace(PROTOCOL, options={**PROTOCOL.options, **options})
    return TASK.run(mock_backbone(), data, protocol, in_folder(context, name))


def test_test_labels_change_class_metrics_alone(data, context):
    first = run(data, context, "first")
    other = run(reordered(data, "test", CLASSES), context, "other")
    assert_equal(first, other, ("id", *RANKS, *DIRECTIONS.values()))
    assert first.metrics["precision_at_5"] != other.metrics["precision_at_5"]
    for name in ("median_rank", "recall_at_1", "recall_at_5", "recall_at_10"):
        assert first.metrics[name] == other.metrics[name]


def test_training_and_validation_rows_change_nothing(data, context):
    first = run(data, context, "first")
    turned = opposite(opposite(data, "train"), "valid")
    other = run(turned.select((turned.table["split"] == "test").to_numpy()), context, "other")
    assert_equal(first, other, ("id", "target", *RANKS, *DIRECTIONS.values()))
    assert first.metrics == other.metrics and first.trivial == other.trivial


def test_a_smaller_pool_keeps_the_order_of_those_that_stay(data, context):
    """Ranks depend on the pool by definition; which of two candidates comes first does not."""
    whole, part = run(data, context, "whole"), run(without(data, "test"), context, "part")
    kept = part.predictions["id"]
    rows = rows_of(whole, kept)
    for direction, top in DIRECTIONS.items():
        before = whole.predictions[f"{direction}_rank"][rows]
        after = part.predictions[f"{direction}_rank"]
        assert (after <= before).all() and (after < before).any()
        for query, row in enumerate(rows):
            shown = whole.predictions["id"][whole.predictions[top][row]]
            still_there = [name for name in shown if name in set(kept)]
            found = kept[part.predictions[top][query]].tolist()
            assert found[: len(still_there)] == still_there


@pytest.mark.parametrize("exclude", [True, False])
def test_matches_are_of_the_labels_that_stand_in_the_manifest(data, context, exclude):
    found = run(data, context, "run", exclude_self=exclude).predictions
    target = data.split("test").targets()
    for direction, top in DIRECTIONS.items():
        for query in range(len(target)):
            shown = found[top][query]
            judged = shown[shown != query] if exclude else shown
            same = (target[judged] == target[query]).all(1)
            # a query left out makes room for an eleventh candidate, which is not shown
            assert found[f"{direction}_match"][query][: len(same)].tolist() == same.tolist()
