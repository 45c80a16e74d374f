"""Estimate the standard error of AUROC differences on one test set without resampling.

DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837-845: the variance of correlated AUROCs follows from
the contributions of the samples (the structural components V10 and V01). With one contribution per sample,
the sum extends to averages over classes and seeds (the contributions are averaged) and to several images per
patient (the contributions of a patient are first summed, as in Obuchowski, Biometrics 53 (1997) 567-578). The
components are found in the sorted scores of both labels, which takes N log N steps, as with the midranks of
Sun & Xu, IEEE Signal Processing Letters 21 (2014) 1389-1393.
"""

import numpy as np


def contributions(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the contribution of each sample to the error of the macro AUROC.

    Args:
        score: [N, C], higher means more likely.
        target: [N, C]; 1, 0, or NaN for unknown. Classes without both labels are left out, as in the metric.

    Returns:
        Float [N]. The sum of its squares is DeLong's variance of the AUROC; the sum of the squared difference
        of two such arrays is the variance of the difference. All values are NaN if a class has a single
        positive or a single negative (its variance cannot be estimated), or if no class is left.
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
    """Compute the standard error from contributions [N]; samples of one ``group`` [N] are not independent."""
    _, number = np.unique(group, return_inverse=True)
    return float(np.sqrt((np.bincount(number, weights=contribution) ** 2).sum()))


def _of_class(score: np.ndarray, positive: np.ndarray) -> np.ndarray:
    of_positives, of_negatives = np.sort(score[positive]), np.sort(score[~positive])
    n, m = len(of_positives), len(of_negatives)
    if min(n, m) < 2 or np.isnan(score).any():
        return np.full(len(score), np.nan)
    share = np.empty(len(score))  # of the other label's samples, those ranked correctly
    share[positive] = _share_below(score[positive], of_negatives)
    share[~positive] = 1 - _share_below(score[~positive], of_positives)
    centred = share - share[positive].mean()
    return centred / np.where(positive, np.sqrt(n * (n - 1)), np.sqrt(m * (m - 1)))


def _share_below(score: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the share of ``others`` (sorted) below each score; ties count one half."""
    below, up_to = (np.searchsorted(others, score, side=side) for side in ("left", "right"))
    return (below + up_to) / (2 * len(others))
