import numpy as np
import pytest
from scipy.spatial.distance import pdist

from prior_bench.probing.embedding import COMPONENTS, IMAGES, example_embedding, example_rows


def test_all_rows_are_kept_or_as_many_as_allowed_from_first_to_last():
    assert example_rows(7).tolist() == list(range(7))
    rows = example_rows(12_345)
    assert len(rows) == IMAGES and (rows[0], rows[-1]) == (0, 12_344)
    assert set(np.diff(rows)) == {24, 25}


def test_distances_keep_their_proportions_whatever_the_scale():
    features = np.random.default_rng(0).normal(size=(40, 6)) @ np.diag([9, 5, 3, 2, 1, 1])
    for scale in (1e-6, 1, 1e6):  # float16 alone ends at 65,504
        kept = example_embedding((scale * features + 100 * scale).astype(np.float32))
        assert kept.dtype == np.float16 and kept.shape == (40, 6)
        ratio = pdist(kept.astype(float)) / pdist(features)
        assert ratio.std() / ratio.mean() < 0.01
        assert kept[:, 0].astype(float).std() == pytest.approx(1, abs=0.01)


def test_no_more_components_than_wanted_the_largest_first_and_always_the_same():
    features = np.random.default_rng(1).normal(size=(80, 200))
    kept = example_embedding(features)
    assert kept.shape == (80, COMPONENTS)
    assert (np.diff(kept.astype(float).std(0)) <= 1e-3).all()
    assert np.array_equal(kept, example_embedding(features.copy()))


def test_features_that_do_not_vary_lie_on_one_point():
    assert not example_embedding(np.ones((5, 8))).any()
    assert example_embedding(np.ones((1, 8))).shape == (1, 1)


def test_equal_rows_lie_on_one_point_whatever_their_features():
    assert not example_embedding(np.tile(np.arange(8.0), (5, 1))).any()


def test_how_many_images_and_components_are_kept():
    assert (IMAGES, COMPONENTS) == (500, 50)
