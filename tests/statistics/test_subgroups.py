"""Measures by group, their resamples, and the gaps that chance alone makes."""

import numpy as np
import pytest

from prior_bench.metrics.classification import auroc
from prior_bench.statistics.subgroups import (
    GroupMeasure,
    gap,
    membership,
    over_runs,
    p_value,
    permuted_gaps,
    resampled,
)

SCORE = np.array([0.9, 0.4, 0.6, 0.1, 0.5, 0.5, 0.2, 0.8])[:, None]
TARGET = np.array([1, 1, 0, 0, 1, 0, 1, 0.0])[:, None]
GROUP = np.array([0, 0, 0, 0, 1, 1, 1, 1])


def test_auroc_of_each_group_by_hand():
    # group 0: of 4 pairs, 0.4 against 0.6 alone is wrong; group 1: 0.5 ties with 0.5, the others are wrong
    values = GroupMeasure(SCORE, TARGET)(membership(GROUP, 2))
    assert values["auroc"].tolist() == [0.75, 0.125]
    assert set(values) == {"auroc"} and gap(values["auroc"]) == 0.625


def test_error_rates_of_each_group_by_hand():
    decisions = SCORE >= 0.5
    measure = GroupMeasure(SCORE, TARGET, decisions, ~decisions[:, 0], TARGET[:, 0] == 1)
    values = measure(membership(GROUP, 2))
    assert values["fnr"].tolist() == [0.5, 0.5]  # 0.4 of two, 0.2 of two
    assert values["fpr"].tolist() == [0.5, 1.0]
    assert values["underdiagnosis"].tolist() == [0.5, 0.5]


def test_weights_are_repetitions_and_unknown_labels_do_not_count():
    random = np.random.default_rng(0)
    score, target = random.random((60, 3)).round(1), (random.random((60, 3)) < 0.4).astype(float)
    target[random.random((60, 3)) < 0.2] = np.nan
    times = random.integers(0, 4, 60)
    rows = np.repeat(np.arange(60), times)
    measure = GroupMeasure(score, target, score >= 0.5)
    values = measure(np.stack([np.ones(60), times.astype(float)]))
    for g, kept in enumerate((np.arange(60), rows)):
        assert values["auroc"][g] == pytest.approx(np.mean(auroc(score[kept], target[kept])))
        missed = [(score[kept, c] < 0.5)[target[kept, c] == 1].mean() for c in range(3)]
        assert values["fnr"][g] == pytest.approx(np.mean(missed))
        false = [(score[kept, c] >= 0.5)[target[kept, c] == 0].mean() for c in range(3)]
        assert values["fpr"][g] == pytest.approx(np.mean(false))


def test_a_group_without_one_of_the_labels_is_undefined():
    values = GroupMeasure(SCORE, TARGET, SCORE >= 0.5)(membership(np.array([0, 0, 1, 1, 2, 2, 2, 2]), 4))
    assert np.isnan(values["auroc"]).tolist() == [True, True, False, True]
    assert np.isnan(values["fpr"]).tolist() == [True, False, False, True]
    assert np.isnan(gap(values["auroc"]))


def planted(patients=300, harm=0.0, seed=0):
    """Two images per patient; scores of the second of three groups are ``harm`` noisier."""
    random = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    group = (np.arange(patients) % 3)[patient]
    target = (random.random((2 * patients, 2)) < 0.4).astype(float)
    noise = random.normal(size=target.shape) * (1 + harm * (group == 1))[:, None]
    return GroupMeasure(target + noise, target), group, patient


def test_the_worse_group_is_found_and_chance_does_not_explain_it():
    measure, group, patient = planted(harm=3.0)
    values = over_runs([measure], membership(group, 3))["auroc"]
    assert values.argmin() == 1
    chance = permuted_gaps([measure], group, 3, patient, 200)["auroc"]
    assert p_value(float(gap(values)), chance) == pytest.approx(1 / 201)
    draws = gap(resampled([measure], group, 3, patient, 200)["auroc"])
    assert np.quantile(draws, 0.025) > chance.mean()


def test_without_a_difference_the_gap_is_above_zero_but_as_large_as_by_chance():
    p_values = []
    for seed in range(20):
        measure, group, patient = planted(patients=90, seed=seed)
        observed = float(gap(over_runs([measure], membership(group, 3))["auroc"]))
        chance = permuted_gaps([measure], group, 3, patient, 99)["auroc"]
        assert observed > 0 and chance.min() > 0, "the largest minus the smallest of noisy values"
        p_values.append(p_value(observed, chance))
        low, high = np.quantile(gap(resampled([measure], group, 3, patient, 99)["auroc"]), [0.025, 0.975])
        assert low < chance.mean() < 2 * high
    assert sum(p < 0.05 for p in p_values) <= 3
    assert 0.25 < np.mean(p_values) < 0.75


def test_resamples_draw_patients_and_are_the_same_for_all_groups():
    measure, group, patient = planted()
    draws = resampled([measure], group, 3, patient, 50)["auroc"]
    assert draws.shape == (50, 3)
    np.testing.assert_array_equal(draws, resampled([measure], group, 3, patient, 50)["auroc"])
    # groups that are the same images have the same draws
    twice = resampled([measure], np.zeros(len(group), int), 1, patient, 5)["auroc"]
    assert np.ptp(twice) > 0
    # one patient in every image: each resample is the whole set
    alone = resampled([measure], group, 3, np.zeros(len(group), int), 5)["auroc"]
    np.testing.assert_allclose(alone, np.tile(alone[0], (5, 1)))


def test_permutations_keep_a_patients_images_together_and_unknown_ones_out():
    seen = []

    class Spy(GroupMeasure):
        def __init__(self):
            pass

        def __call__(self, weights):
            seen.append(weights.copy())
            return {"auroc": np.zeros(len(weights))}

    patient = np.array(["a", "a", "b", "b", "c", "d"])
    group = np.array([0, 0, 1, 1, 1, -1])
    permuted_gaps([Spy()], group, 2, patient, 30)
    for weights in seen:
        assert weights[:, 5].sum() == 0, "an image without a group stays without"
        assert (weights[:, 0] == weights[:, 1]).all() and (weights[:, 2] == weights[:, 3]).all()
        assert weights[:, :5].sum(0).tolist() == [1] * 5
        assert weights[0, [0, 2, 4]].sum() == 1, "as many patients in each group as before"
    assert len({weights[0].tobytes() for weights in seen}) == 3


def test_the_mean_over_runs_has_the_quantities_that_all_have():
    both = [GroupMeasure(SCORE, TARGET, SCORE >= 0.5), GroupMeasure(-SCORE, TARGET)]
    values = over_runs(both, membership(GROUP, 2))
    assert set(values) == {"auroc"} and values["auroc"].tolist() == [0.5, 0.5]


def test_p_values_are_never_zero():
    assert p_value(1.0, np.zeros(99)) == 0.01
    assert p_value(0.0, np.zeros(99)) == 1.0
    assert p_value(0.5, np.array([0.4, 0.6, np.nan, 0.5])) == pytest.approx(3 / 4)
    assert np.isnan(p_value(0.5, np.zeros(0))) and np.isnan(p_value(np.nan, np.ones(3)))
