import math

import numpy as np
import pytest
from scipy.stats import friedmanchisquare

from prior_bench.metrics.ranks import Ranks, critical_difference, rank


def test_critical_difference_of_demsar():
    # Demšar 2006, section 3.2.3: four classifiers on 14 data sets, q = 2.569 at 5 % and 2.291 at 10 %
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.1) == pytest.approx(1.12, abs=0.005)
    assert math.isnan(critical_difference(1, 14)) and math.isnan(critical_difference(3, 1))


def test_ranks_share_ties_and_are_sorted():
    values = np.array([[0.5, 0.7, 0.9], [0.6, 0.7, 0.8], [0.1, 0.2, 0.3]])
    ranks = rank(["A", "B", "C"], values)
    assert ranks.labels == ("A", "B", "C") and ranks.average == pytest.approx((1.5, 1.5, 3.0))
    assert ranks.evaluations == 3
    assert ranks.p == pytest.approx(friedmanchisquare(*values).pvalue)


def test_groups_are_the_widest_runs_that_are_not_told_apart():
    ranks = Ranks(tuple("ABCDE"), (1.0, 1.8, 2.6, 4.5, 5.0), 20, 1.0, 0.01)
    assert ranks.groups() == [(0, 1), (1, 2), (3, 4)]
    assert Ranks(("A", "B"), (1.0, 2.0), 9, 0.5, math.nan).groups() == []
    assert Ranks(("A", "B"), (1.0, 2.0), 1, math.nan, math.nan).groups() == []
