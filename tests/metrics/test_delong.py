import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prior_bench.metrics.delong import contributions, standard_error
from prior_bench.metrics.statistics import bootstrap


def structural_components(score, positive):
    """DeLong's definition, pair by pair: V10 of the positives, V01 of the negatives."""
    psi = [[1.0 if p > n else 0.5 if p == n else 0.0 for n in score[~positive]] for p in score[positive]]
    return np.mean(psi, axis=1), np.mean(psi, axis=0)


def brute_force_error(first, second, positive):
    """DeLong et al. 1988, equations 4 to 6, for the difference of two AUROCs."""
    (v10, v01), (w10, w01) = (structural_components(s, positive) for s in (first, second))
    assert v10.mean() == pytest.approx(roc_auc_score(positive, first))
    contrast = np.array([1, -1])
    covariance = np.cov(v10, w10) / len(v10) + np.cov(v01, w01) / len(v01)
    return np.sqrt(contrast @ covariance @ contrast)


def scores(n=60, seed=0, decimals=1):
    random = np.random.default_rng(seed)
    positive = random.random(n) < 0.4
    common = random.normal(size=n)
    first, second = (positive * shift + common + random.normal(size=n) for shift in (1.5, 0.5))
    return np.round(first, decimals), np.round(second, decimals), positive  # rounded: with ties


def test_worked_example_by_hand():
    # positives 3 and 1, negatives 2 and 0: V10 = (1, 1/2), V01 = (1/2, 1); both variances 1/8, over 2 each
    score, target = np.array([[3.0], [1], [2], [0]]), np.array([[1.0], [1], [0], [0]])
    assert (contributions(score, target) ** 2).sum() == pytest.approx(1 / 8)


@pytest.mark.parametrize("seed", range(3))
def test_difference_is_that_of_the_structural_components(seed):
    first, second, positive = scores(seed=seed)
    target = positive[:, None].astype(float)
    found = contributions(first[:, None], target) - contributions(second[:, None], target)
    expected = brute_force_error(first, second, positive)
    assert standard_error(found, np.arange(len(positive))) == pytest.approx(expected, rel=1e-12)


def test_unknown_labels_do_not_count_and_classes_are_averaged():
    first, second, positive = scores()
    target = np.stack([positive, np.roll(positive, 7)], axis=1).astype(float)
    score = np.stack([first, second], axis=1)
    target[:5, 1] = np.nan
    both = contributions(score, target)
    one = contributions(score[:, :1], target[:, :1])
    two = np.zeros(len(both))
    two[5:] = contributions(score[5:, 1:], target[5:, 1:])
    assert both == pytest.approx((one + two) / 2)


def test_repeated_images_of_a_patient_do_not_make_it_more_certain():
    first, _, positive = scores(decimals=6)
    target = positive[:, None].astype(float)
    once = standard_error(contributions(first[:, None], target), np.arange(60))
    repeated = np.repeat(np.arange(60), 3)
    thrice = contributions(first[repeated, None], target[repeated])
    assert standard_error(thrice, repeated) == pytest.approx(once, rel=0.02)
    assert standard_error(thrice, np.arange(180)) < 0.62 * once


def test_agrees_with_the_bootstrap_by_patient():
    first, second, positive = scores(n=400, seed=5, decimals=6)
    patients = np.repeat(np.arange(200), 2)
    target = positive[:, None].astype(float)
    error = standard_error(
        contributions(first[:, None], target) - contributions(second[:, None], target), patients
    )
    predictions = {"patient_id": patients, "id": np.arange(400), "a": first, "b": second, "y": positive}

    def difference(p):
        return {"d": roc_auc_score(p["y"], p["a"]) - roc_auc_score(p["y"], p["b"])}

    assert error == pytest.approx(bootstrap(difference, predictions, n=250)["d"].std(), rel=0.15)


def test_without_variance_to_estimate_it_is_nan():
    score, target = np.arange(4.0)[:, None], np.array([[1.0], [0], [0], [0]])
    assert np.isnan(contributions(score, target)).all()
    assert np.isnan(contributions(score, np.ones((4, 1)))).all()
