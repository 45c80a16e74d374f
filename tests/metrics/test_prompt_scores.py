"""Scores of classes from similarities to prompts, by hand."""

import numpy as np
import pytest

from prior_bench.metrics.prompt_scores import class_scores, paired_scores, probability, standardise


def test_scores_by_hand():
    similarity = np.array([[0.1, 0.5, 0.2], [0.4, 0.2, 0.6]])
    owner = np.array([0, 0, 1])
    assert class_scores(similarity, owner, "max").tolist() == [[0.5, 0.2], [0.4, 0.6]]
    assert class_scores(similarity, owner, "mean") == pytest.approx(np.array([[0.3, 0.2], [0.3, 0.6]]))


def test_standardisation_by_hand():
    scores = np.array([[1.0, 10], [3.0, 10], [5.0, 40], [7.0, 60]])
    whole = standardise(scores, "whole_set", 64)
    assert whole.mean(0) == pytest.approx(0) and whole.std(0) == pytest.approx(1)
    batches = standardise(scores, "per_batch", 2)
    assert batches[:, 0].tolist() == [-1, 1, -1, 1]
    assert batches[:, 1].tolist() == [0, 0, -1, 1], "what is the same everywhere becomes 0, not NaN"
    assert standardise(scores, "none", 2) is scores
    assert standardise(scores[:3], "per_batch", 2)[2].tolist() == [0, 0], "a batch of one image"


def test_rounding_noise_is_not_blown_up_to_scores():
    scores = (1000 + np.array([[0, 1, 0], [6e-5, 2, 0], [0, 3, 0]])).astype(np.float32)
    assert len(np.unique(scores[:, 0])) == 2
    found = standardise(scores, "whole_set", 64)
    assert found[:, 0].tolist() == [0, 0, 0] and found[:, 2].tolist() == [0, 0, 0]
    assert found[:, 1].std() == pytest.approx(1)
    small = (1e-3 * np.array([[1.0], [1.1]])).astype(np.float32)
    assert standardise(small, "whole_set", 64)[:, 0] == pytest.approx([-1, 1], rel=1e-4)


def test_positive_less_negative_by_hand():
    similarity = np.array([[0.1, 0.5, 0.2, 0.3, 0.6], [0.4, 0.2, 0.6, 0.1, 0.1]])
    owner = np.array([0, 0, 1, 0, 1])
    negative = np.array([False, False, False, True, True])
    by_best = paired_scores(similarity, owner, negative, "max")
    assert by_best == pytest.approx(np.array([[0.5 - 0.3, 0.2 - 0.6], [0.4 - 0.1, 0.6 - 0.1]]))
    by_mean = paired_scores(similarity, owner, negative, "mean")
    assert by_mean == pytest.approx(np.array([[0.3 - 0.3, 0.2 - 0.6], [0.3 - 0.1, 0.6 - 0.1]]))


def test_the_probability_is_chexzeros_softmax_over_the_pair():
    positive, negative = np.array([0.3, -0.2, 0.1]), np.array([0.1, 0.4, 0.1])
    softmax = np.exp(positive) / (np.exp(positive) + np.exp(negative))
    found = probability(positive - negative)
    assert found == pytest.approx(softmax)
    assert found[2] == 0.5, "a tie is decided as CheXzero's p >= 0.5"
    for temperature in (0.01, 100):
        scaled = probability((positive - negative) / temperature)
        assert ((scaled >= 0.5) == (found >= 0.5)).all()
