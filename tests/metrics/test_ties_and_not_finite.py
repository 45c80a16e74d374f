"""Ties and constant scores are at chance, and scores that are not finite are no result."""

import numpy as np
import pytest

from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.errors import BenchError
from prior_bench.metrics import classification, retrieval

TARGET = np.eye(4)[[0, 0, 0, 0, 0, 1, 1, 2, 3, 3]]
NAMES = ("a", "b", "c", "d")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_similarity_that_is_not_finite_gets_no_rank(value):
    similarity = np.eye(5)
    similarity[2, 2] = value
    with pytest.raises(BenchError, match="1 of 25 similarities are not finite"):
        retrieval.ranks(similarity, np.arange(5))
    with pytest.raises(BenchError, match="row: 1 of 25 scores are not finite\n  fix:.*checkpoint inspect"):
        require_finite_scores(similarity, "scores", "row")


def test_constant_similarities_are_at_chance():
    found = retrieval.ranks(np.full((20, 20), 0.3), np.arange(20))
    assert [retrieval.recall_at(k, found) for k in (1, 5, 10)] == pytest.approx([0.05, 0.25, 0.5])
    assert np.median(found.rank) == 10.5


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0]])
def test_equal_scores_of_all_classes_are_at_chance_in_any_order(order):
    values = classification.evaluate(
        np.zeros((10, 4)),
        TARGET[:, order],
        NAMES,
        ("accuracy", "recall", "precision", "kappa", "auroc", "auprc", "f1"),
        exclusive=True,
    )
    assert values["accuracy"] == pytest.approx(0.25) and values["recall"] == pytest.approx(0.25)
    assert values["kappa"] == pytest.approx(0, abs=1e-12) and values["auroc"] == 0.5
    assert values["precision"] == pytest.approx(0.25) and values["auprc"] == pytest.approx(0.25)
    # of 5, 2, 1 and 2 positives, a quarter of all is found and a quarter of each class is predicted
    assert values["f1"] == pytest.approx(np.mean([2 * n / 4 / (10 / 4 + n) for n in (5, 2, 1, 2)]))


def test_a_tie_of_two_shares_the_decision():
    score = np.array([[0.5, 0.5, 0.1], [0.9, 0.1, 0.1], [0.1, 0.2, 0.9]])
    target = np.eye(3)[[1, 0, 2]]
    assert classification.argmax_shares(score).tolist() == [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 1]]
    assert classification.top1_accuracy(score, target) == pytest.approx(2.5 / 3)
    # without ties, it is a decision
    assert classification.argmax_shares(score[1:]).dtype == bool


def test_the_majority_is_one_class_even_among_equally_common_ones():
    target = np.eye(4)[np.arange(20) % 4]
    found = classification.trivial(target, np.full(4, 0.25), NAMES, ("accuracy", "recall"), exclusive=True)
    assert found["majority"]["accuracy"] == 0.25
    assert found["majority"]["recall/a"] == 1 and found["majority"]["recall/b"] == 0
