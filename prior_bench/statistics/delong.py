"""The standard error of AUROC differences on one test set, without resampling.

DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837-845: the variance of correlated AUROCs follows from
how much each sample contributes (their structural components V10 and V01). Written as one contribution per
sample, the same sum extends to averages over classes and over seeds (averages of contributions) and to
several images per patient (contributions summed by patient first, as in Obuchowski, Biometrics 53 (1997)
567-578). The components come from midranks (Sun & Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393).
"""

import numpy as np


def contributions(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What each sample contributes to the error of the macro AUROC.

    Args:
        score: [N, C], higher means more likely.
        target: [N, C]; 1, 0, NaN where unknown. Classes without both labels are left out, as in the metric.

    Returns:
        float [N]; its squares sum to DeLong's variance of the AUROC, and the squares of the difference of two
        such arrays to the variance of the difference. All NaN where a class has a single positive or negative
        (it then has no variance to estimate), or no class is left.
    """
    classes = []
    for c in range(score.shape[1]):
        known = ~np.isnan(target[:, c])
        positive = target[known, c] == 1
        if positive.any() and not positive.all():
            one = np.zeros(len(score))
            one[known] = _of_class(score[known, c], positive)
            classes.append(one)
    return np.mean(classes, axis=0) if classes else np.full(len(score), np.nan)


def standard_error(contribution: np.ndarray, group: np.ndarray) -> float:
    """Standard error of what ``contribution`` [N] belongs to; samples of a ``group`` are not independent."""
    _, number = np.unique(group, return_inverse=True)
    return float(np.sqrt((np.bincount(number, weights=contribution) ** 2).sum()))


def _of_class(score: np.ndarray, positive: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    n, m = int(positive.sum()), int((~positive).sum())
    if min(n, m) < 2:
        return np.full(len(score), np.nan)
    overall = rankdata(score)
    share = np.empty(len(score))  # of the other label's samples that this one is ranked right against
    share[positive] = (overall[positive] - rankdata(score[positive])) / m
    share[~positive] = 1 - (overall[~positive] - rankdata(score[~positive])) / n
    centred = share - share[positive].mean()
    return centred / np.where(positive, np.sqrt(n * (n - 1)), np.sqrt(m * (m - 1)))
