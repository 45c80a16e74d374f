import numpy as np
import pytest
from scipy.stats import chi2
from sklearn.metrics import roc_auc_score

from prior_bench.statistics.bootstrap import bootstrap
from prior_bench.statistics.delong import contributions, standard_error


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


def test_an_undefined_score_has_no_error():
    score, target = np.array([[3.0], [np.nan], [2], [0]]), np.array([[1.0], [1], [0], [0]])
    assert np.isnan(contributions(score, target)).all()


OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1
3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0
4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1
4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1
2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""
"""DeLong et al.'s patients with ovarian cancer that have all three tests: albumin, total protein, K-G score,
and whether surgery helped (SAS/STAT User's Guide, LOGISTIC procedure, "Comparing Receiver Operating
Characteristic Curves", whose results for them are those below, to four decimals)."""


def test_the_published_case():
    albumin, protein, score, helped = np.array(OVARIAN.split(), float).reshape(-1, 4).T
    tests = {"albumin": albumin, "protein": protein, "K-G": 10 - score}
    shares = {name: contributions(test[:, None], helped[:, None]) for name, test in tests.items()}
    areas = {name: roc_auc_score(helped, test) for name, test in tests.items()}
    errors = {name: standard_error(share, np.arange(43)) for name, share in shares.items()}
    assert areas == pytest.approx({"albumin": 0.7366, "protein": 0.6478, "K-G": 0.7258}, abs=5e-5)
    assert errors == pytest.approx({"albumin": 0.0927, "protein": 0.1000, "K-G": 0.1028}, abs=5e-5)
    for name, change, error, p in (("albumin", 0.0108, 0.0953, 0.9102), ("protein", -0.0780, 0.1046, 0.4561)):
        found = standard_error(shares[name] - shares["K-G"], np.arange(43))
        assert (areas[name] - areas["K-G"], found) == pytest.approx((change, error), abs=5e-5)
        assert chi2.sf(((areas[name] - areas["K-G"]) / found) ** 2, 1) == pytest.approx(p, abs=5e-5)
    contrast = np.array([shares[name] - shares["K-G"] for name in ("albumin", "protein")])
    change = np.array([areas[name] - areas["K-G"] for name in ("albumin", "protein")])
    both = change @ np.linalg.solve(contrast @ contrast.T, change)
    assert (both, chi2.sf(both, 2)) == pytest.approx((2.5340, 0.2817), abs=5e-5)


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


def test_what_a_well_ranked_sample_contributes_is_positive():
    score, target = np.array([[0.9], [0.2], [0.8], [0.1]]), np.array([[1.0], [1.0], [0.0], [0.0]])
    # the positives are right against 2 and 1 of 2 negatives, the negatives against 1 and 2 of 2 positives
    assert contributions(score, target) == pytest.approx(np.array([1, -1, -1, 1]) / 4 / np.sqrt(2))


def test_a_class_without_both_labels_is_left_out():
    score, target = np.random.default_rng(0).random((40, 1)), (np.arange(40) % 3 == 0).astype(float)[:, None]
    alone = contributions(score[:, :1], target)
    assert np.isfinite(alone).all()
    for label in (0.0, 1.0):
        both = np.hstack([target, np.full_like(target, label)])
        np.testing.assert_allclose(contributions(np.hstack([score[:, :1]] * 2), both), alone)
