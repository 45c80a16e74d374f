import math

import numpy as np
import pytest
from scipy import stats

from prior_bench.statistics.delong import contributions, standard_error
from prior_bench.statistics.significance import bootstrap_error, difference, holm, pooled_spread


def step_down(p_values):
    """Holm's procedure as he states it: the k-th smallest of m times m - k + 1, never falling, at most 1."""
    corrected, highest = {}, 0.0
    for k, (p, i) in enumerate(sorted((p, i) for i, p in enumerate(p_values))):
        highest = max(highest, (len(p_values) - k) * p)
        corrected[i] = min(highest, 1.0)
    return [corrected[i] for i in range(len(p_values))]


def test_holm_on_a_worked_example():
    # 4 x .005, 3 x .01, 2 x .03, 1 x .04 raised to the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_is_the_step_down_procedure():
    p_values = np.random.default_rng(0).random(12) ** 3
    assert holm(p_values) == pytest.approx(step_down(p_values))


def test_holm_leaves_out_what_was_not_tested():
    corrected = holm([0.01, math.nan, 0.02])
    assert corrected[[0, 2]] == pytest.approx([0.02, 0.02]) and math.isnan(corrected[1])
    assert len(holm([])) == 0


def test_without_test_error_it_is_the_paired_t_test_over_seeds():
    per_seed = [1.2, 0.7, 1.9, 1.0]
    ours, theirs = difference(per_seed, 0.0, patients=50), stats.ttest_1samp(per_seed, 0)
    assert ours.p == pytest.approx(theirs.pvalue)
    assert ours.interval == pytest.approx(tuple(theirs.confidence_interval(0.95)))


def test_with_one_seed_only_the_patients_count():
    one = difference([0.5], 0.2, patients=31)
    assert (one.error, one.seeds) == (0.2, 1)
    assert one.p == pytest.approx(2 * stats.t.sf(2.5, 30))


def test_both_parts_add_up_and_the_quantile_is_cochran_s():
    # variances 0.04 (30 degrees of freedom) and 0.12 / 4 = 0.03 (3): t' = (0.04 t30 + 0.03 t3) / 0.07
    seeds = [value + 1 for value in (-0.3, 0.3, -0.3, 0.3)]
    both = difference(seeds, 0.2, patients=31)
    assert both.error == pytest.approx(math.sqrt(0.07))
    critical = (0.04 * stats.t.ppf(0.975, 30) + 0.03 * stats.t.ppf(0.975, 3)) / 0.07
    assert both.interval == pytest.approx((1 - critical * both.error, 1 + critical * both.error))
    on_the_edge = difference([value + critical * both.error for value in (-0.3, 0.3, -0.3, 0.3)], 0.2, 31)
    assert on_the_edge.p == pytest.approx(0.05)


def test_equal_methods_and_differences_without_error():
    assert difference([0.0, 0.0], 0.0, 10).p == 1
    assert math.isnan(difference([0.1], 0.0, 10).p)
    assert difference([0.0], 0.1, 10).p == 1
    assert difference([100.0], 0.1, 1000).p < 1e-10


def test_spread_of_two_methods_is_the_variance_of_their_differences():
    values = np.random.default_rng(5).normal(size=(2, 4))
    assert pooled_spread(values) == (pytest.approx((values[0] - values[1]).var(ddof=1)), 3)
    assert pooled_spread(values[:1]) is None and pooled_spread(values[:, :1]) is None


def test_spread_of_many_methods_is_the_mean_over_their_pairs_with_more_freedom():
    values = np.random.default_rng(6).normal(size=(5, 3)) + np.arange(
        3
    )  # what a seed does to all is no spread
    pairs = [(values[i] - values[j]).var(ddof=1) for i in range(5) for j in range(i)]
    variance, freedom = pooled_spread(values)
    assert variance == pytest.approx(np.mean(pairs)) and freedom == 8
    assert difference([1.0, 2, 3], 0.1, 30, spread=(0.6, 8)).parts == (
        (pytest.approx(0.01), 29),
        (0.6 / 3, 8),
    )


def test_bootstrap_error_is_of_the_mean_over_seeds():
    random = np.random.default_rng(2)
    first, second = random.normal(size=(2, 500)), random.normal(size=(2, 500))
    expected = ((first[0] + first[1] - second[0] - second[1]) / 2).std(ddof=1)
    assert bootstrap_error(list(first), list(second)) == pytest.approx(expected)
    assert math.isnan(bootstrap_error([np.full(4, np.nan)], [np.ones(4)]))


def test_equally_good_methods_are_told_apart_as_seldom_as_the_level_says():
    random = np.random.default_rng(3)
    patients, rejected = np.repeat(np.arange(60), 2), 0
    for _ in range(400):
        of_patient = np.repeat(random.normal(size=60), 2)
        positive = random.random(120) < 0.5
        target = positive[:, None].astype(float)
        pair = [positive + of_patient + random.normal(size=120) for _ in range(2)]
        one, two = (contributions(score[:, None], target) for score in pair)
        auroc = [stats.mannwhitneyu(s[positive], s[~positive]).statistic for s in pair]
        scale = positive.sum() * (~positive).sum()
        found = difference([(auroc[0] - auroc[1]) / scale], standard_error(one - two, patients), 60)
        rejected += not found.interval[0] <= 0 <= found.interval[1]
    assert 0.025 <= rejected / 400 <= 0.08


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0])
def test_trainings_that_differ_by_luck_are_not_taken_for_a_better_method(spread):
    """Equal methods, three seeds, 80 patients; ``spread`` of the trainings against 0.11 of the patients."""
    random = np.random.default_rng(4)
    rejected = 0
    for _ in range(2000):
        of_patient = random.normal(size=80)
        per_seed = of_patient.mean() + spread * random.normal(size=3)
        low, high = difference(list(per_seed), of_patient.std(ddof=1) / math.sqrt(80), 80).interval
        rejected += not low <= 0 <= high
    assert rejected / 2000 <= 0.062  # 5 % plus two and a half standard errors of this simulation
    if not spread:
        assert rejected / 2000 >= 0.04


def test_two_methods_that_are_equal_everywhere_have_an_interval_of_no_width():
    same = difference([0.0, 0.0], test_error=0.0, patients=50)
    assert same.interval == (0.0, 0.0) and same.p == 1
    with pytest.raises(AttributeError):
        same.value = 1.0


def test_two_seeds_have_a_spread_and_one_has_none():
    two = difference([0.1, 0.3], test_error=0.05, patients=50)
    assert two.parts == ((0.05**2, 49), (pytest.approx(0.02 / 2), 1)) and two.seeds == 2
    one = difference([0.1], test_error=0.05, patients=50)
    assert one.parts == ((0.05**2, 49),)
    assert (one.covers_seeds, two.covers_seeds) == (False, True)


def test_two_methods_and_two_seeds_have_a_pooled_spread():
    values = np.array([[0.5, 0.7], [0.4, 0.3]])
    variance, freedom = pooled_spread(values)
    assert freedom == 1 and variance == pytest.approx(np.var(values[0] - values[1], ddof=1))
    assert pooled_spread(values[:1]) is None and pooled_spread(values[:, :1]) is None


@pytest.mark.parametrize("undefined, defined", [(3, True), (4, True), (5, False), (6, False)])
def test_more_than_half_of_the_draws_must_be_defined(undefined, defined):
    first = np.arange(10.0) ** 2
    first[:undefined] = np.nan
    found = bootstrap_error([first], [np.zeros(10)])
    assert math.isfinite(found) == defined
    if defined:
        assert found == pytest.approx(first[undefined:].std(ddof=1))
