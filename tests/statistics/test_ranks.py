import math

import numpy as np
import pytest
from scipy.stats import chi2, friedmanchisquare

from prior_bench.statistics.ranks import AverageRanks, critical_difference, rank


def test_critical_difference_of_demsar():
    # Demšar 2006, section 3.2.3: four classifiers on 14 data sets, q = 2.569 at 5 % and 2.291 at 10 %
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.1) == pytest.approx(1.12, abs=0.005)
    assert math.isnan(critical_difference(1, 14)) and math.isnan(critical_difference(3, 1))


DEMSAR = """
.763 .768 .771 .798   .599 .591 .590 .569   .954 .971 .968 .967   .628 .661 .654 .657   .882 .888 .886 .898
.936 .931 .916 .931   .661 .668 .609 .685   .583 .583 .563 .625   .775 .838 .866 .875   1.00 1.00 1.00 1.00
.940 .962 .965 .962   .619 .666 .614 .669   .972 .981 .9752 .975   .957 .978 .946 .970
"""
"""AUC of C4.5, and of it with m, cf and both tuned, on 14 data sets (Demšar 2006, Table 6). A fourth digit
stands for one that is not printed: the paper ranks .975 and .975 second and third."""


def test_worked_example_of_demsar():
    values = np.array(DEMSAR.split(), float).reshape(14, 4).T
    ranks = rank(["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"], values)
    assert ranks.labels == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert ranks.average == pytest.approx((1.964, 2.000, 2.893, 3.143), abs=5e-4)
    statistic = 12 * 14 / (4 * 5) * (sum(r * r for r in ranks.average) - 4 * 25 / 4)
    assert statistic == pytest.approx(9.28, abs=0.005)
    assert chi2.sf(statistic, 3) == pytest.approx(0.0258, abs=5e-4)
    ties = 3 * (2**3 - 2) + (4**3 - 4)  # three pairs and all four of mushroom; the paper leaves them out
    assert ranks.p == pytest.approx(chi2.sf(statistic / (1 - ties / (14 * (4**3 - 4))), 3))
    assert ranks.difference == pytest.approx(1.25, abs=0.005)
    assert ranks.groups() == [(0, 3)], "Nemenyi's test at 5 % tells none apart (section 3.2.3)"
    at_10 = critical_difference(4, 14, level=0.1)
    assert ranks.average[3] - ranks.average[1] > at_10 > ranks.average[2] - ranks.average[0]


def test_ranks_share_ties_and_are_sorted():
    values = np.array([[0.5, 0.7, 0.9], [0.6, 0.7, 0.8], [0.1, 0.2, 0.3]])
    ranks = rank(["A", "B", "C"], values)
    assert ranks.labels == ("A", "B", "C") and ranks.average == pytest.approx((1.5, 1.5, 3.0))
    assert ranks.evaluations == 3
    assert ranks.p == pytest.approx(friedmanchisquare(*values).pvalue)


def test_groups_are_the_widest_runs_that_are_not_told_apart():
    ranks = AverageRanks(tuple("ABCDE"), (1.0, 1.8, 2.6, 4.5, 5.0), 20, 1.0, 0.01)
    assert ranks.groups() == [(0, 1), (1, 2), (3, 4)]
    assert AverageRanks(("A", "B"), (1.0, 2.0), 9, 0.5, math.nan).groups() == []
    assert AverageRanks(("A", "B"), (1.0, 2.0), 1, math.nan, math.nan).groups() == []


@pytest.mark.parametrize("methods, evaluations", [(2, 2), (2, 5), (3, 2)])
def test_two_methods_and_two_evaluations_are_enough_for_a_difference(methods, evaluations):
    assert critical_difference(methods, evaluations) > 0
    assert math.isnan(critical_difference(methods, 1)) and math.isnan(critical_difference(1, evaluations))


def test_two_methods_over_two_evaluations():
    # the studentized range of two at 5 %, over the root of two, is the two-sided normal quantile
    assert critical_difference(2, 2) == pytest.approx(1.959964 * math.sqrt(2 * 3 / 12), rel=1e-4)


@pytest.mark.parametrize("methods, evaluations, tested", [(3, 2, True), (3, 1, False), (2, 5, False)])
def test_friedmans_test_needs_three_methods_and_two_evaluations(methods, evaluations, tested):
    values = np.random.default_rng(0).random((methods, evaluations))
    found = rank([f"m{i}" for i in range(methods)], values)
    assert math.isfinite(found.p) == tested
    if tested:
        assert found.p == pytest.approx(friedmanchisquare(*values).pvalue)


def test_a_run_within_the_last_one_is_not_shown_again():
    ranks = AverageRanks(tuple("ABCD"), (1.0, 2.0, 2.4, 2.9), 20, 1.0, 0.01)
    # exactly the critical difference apart is not significantly different
    assert ranks.groups() == [(0, 1), (1, 3)]


def test_intervals_over_seeds_are_as_wide_as_the_seeds_disagree():
    # A and B change places in one of four seeds; C is last in all of them
    seeds = np.array(
        [[[9.0], [8.0], [1.0]], [[9.0], [8.0], [1.0]], [[9.0], [8.0], [1.0]], [[5.0], [8.5], [1.0]]]
    )
    found = rank(["C", "A", "B"], seeds.mean(0)[[2, 0, 1]], seeds[:, [2, 0, 1]])
    assert found.labels == ("B", "A", "C") or found.labels == ("A", "B", "C")
    by_label = dict(zip(found.labels, found.intervals, strict=True))
    assert by_label["A"] == by_label["B"] == (1, 2) and by_label["C"] == (3, 3)
    agree = rank(["A", "B", "C"], seeds[:3].mean(0), seeds[:3])
    assert agree.intervals == ((1, 1), (2, 2), (3, 3))
    assert rank(["A", "B", "C"], seeds[:2].mean(0), seeds[:2]).intervals == ()
