"""A low-dimensional embedding of the test images, small enough to be stored with the predictions.

The report draws a map of these points. No number in a table is computed from them.
"""

import numpy as np

IMAGES = 500
"""Largest number of images; it is enough for a map. The images are the same for every backbone and seed."""

COMPONENTS = 50
"""Largest number of components, as is usual before t-SNE (van der Maaten & Hinton, JMLR 9 (2008) 2579-2605,
section 4)."""


def example_rows(count: int) -> np.ndarray:
    """The rows to keep out of ``count``: all, or :data:`IMAGES` evenly spaced ones."""
    return np.unique(np.linspace(0, count - 1, min(count, IMAGES)).round().astype(int))


def example_embedding(features: np.ndarray) -> np.ndarray:
    """Principal components of features [M, D] on one common scale, float16 [M, at most COMPONENTS].

    The scale makes the first component's standard deviation 1, so that float16 can hold any features;
    distances keep their proportions.
    """
    from sklearn.decomposition import PCA

    features = np.asarray(features, dtype=float)
    kept = min(COMPONENTS, *features.shape)
    if not np.ptp(features, axis=0).any():
        return np.zeros((len(features), kept), np.float16)
    points = PCA(kept, svd_solver="full").fit_transform(features)
    return (points / points[:, 0].std()).astype(np.float16)
