"""A cascade ranks the first candidates by a method's own score, and is exact if all are candidates."""

import numpy as np
import pytest
from tiny_methods import build

from prior_bench.api import Backbone
from prior_bench.errors import BenchError
from prior_bench.features.cascade import by_stages, candidates, cascaded_similarity
from prior_bench.features.extract import Feed
from prior_bench.features.similarity import similarity_matrix
from prior_bench.metrics.retrieval import ranks
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.retrieval import Retrieval

K = 12


@pytest.fixture
def gloria():
    method = build("gloria").eval()
    return Backbone("gloria", method.image_encoder, method, method.image_encoder.input, "tiny gloria")


@pytest.fixture
def some(tiny):
    return tiny.select(np.arange(20))


TEXTS = [(f"Report {n} with {'many ' * (n % 5)}words.", "Clear.")[: 1 + n % 2] for n in range(20)]


def scores_of(backbone, data, context, k):
    return cascaded_similarity(backbone, data, TEXTS, context, Feed(backbone.input), k)


def test_with_all_candidates_it_is_exact(gloria, some, context):
    exact = similarity_matrix(gloria, some, TEXTS, context)
    for k in (20, 99):
        for found in scores_of(gloria, some, context, k):
            assert found == pytest.approx(exact, abs=1e-6)
            own = np.arange(20)
            assert ranks(found, own).rank.tolist() == ranks(exact, own).rank.tolist()


def test_only_candidates_have_the_methods_own_score(gloria, some, context, monkeypatch):
    exact = similarity_matrix(gloria, some, TEXTS, context)
    compared = []
    similarity = type(gloria.method).similarity

    def counted(self, image, text):
        compared.append(len(image.global_) * len(text.global_))
        return similarity(self, image, text)

    monkeypatch.setattr(type(gloria.method), "similarity", counted)
    both = scores_of(gloria, some, context, 4)
    assert 20 * 4 <= sum(compared) <= 2 * 20 * 4 < exact.size / 2
    for found, axis in zip(both, (1, 0), strict=True):
        within = found > np.sort(found, axis=axis).take([-5], axis=axis)
        assert within.sum() == 80
        assert found[within] == pytest.approx(exact[within], abs=1e-6)
        assert found[~within].max() < found[within].min()
    again = scores_of(gloria, some, context, 4)
    assert all(np.array_equal(a, b) for a, b in zip(again, both, strict=True)), "from the cache"


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("k", [1, 3, 10])
def test_no_candidate_of_the_second_stage_is_behind_one_of_the_first(axis, k):
    random = np.random.default_rng(k)
    first, second = random.normal(size=(2, 12, 10)).astype(np.float32)
    scores = by_stages(first, second, k, axis)
    for query in range(first.shape[1 - axis]):
        one, two, found = (x.take(query, axis=1 - axis) for x in (first, second, scores))
        by_global = np.argsort(-one)
        kept, rest = by_global[:k], by_global[k:]
        expected = [*kept[np.argsort(-two[kept])], *rest]
        assert np.argsort(-found).tolist() == expected


def test_ties_with_the_last_candidate_are_candidates():
    first = np.array([[3, 2, 2, 1]], dtype=np.float32)
    assert candidates(first, 2, 1).tolist() == [[True, True, True, False]]
    assert candidates(first, 4, 1).all() and candidates(first, 1, 0).all()


def test_the_order_beyond_is_that_of_the_first_stage_at_any_scale():
    first = np.array([[1e3, 1e-3, 2e-3, -1e3]], dtype=np.float32)
    second = np.array([[-1e4, 0, 0, 0]], dtype=np.float32)
    assert np.argsort(-by_stages(first, second, 1, 1)[0]).tolist() == [0, 2, 1, 3]


def test_a_method_without_a_first_stage_is_left_out(some, context):
    backbone = mock_backbone()
    with pytest.raises(BenchError, match="no global score as a first stage"):
        scores_of(backbone, some, context, 4)
    cascade = protocols.load("clean/retrieval", {"options": {"cascade": 100}})
    exact = protocols.load("clean/retrieval")
    assert "options.cascade" in Retrieval().lacks(type(backbone.method), cascade)
    assert Retrieval().lacks(type(backbone.method), exact) == ""
    assert Retrieval().lacks(type(build("gloria")), cascade) == ""
    with pytest.raises(BenchError, match="cascade"):
        protocols.load("clean/retrieval", {"options": {"cascade": 5}})
