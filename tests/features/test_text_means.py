"""Means of text embeddings, by hand, and the methods for which they are refused."""

from types import SimpleNamespace

import pytest
import torch
from planted import numbered_images, planted_backbone
from torch.nn import functional as F

from prior_bench.api import Features
from prior_bench.errors import BenchError
from prior_bench.features import similarity as module
from prior_bench.features.extract import Feed
from prior_bench.features.similarity import similarity_matrices
from prior_bench.features.text_means import mean_texts, require_cosine
from prior_bench.mock import mock_backbone


def test_embeddings_are_normalised_averaged_and_normalised_again():
    pieces = [Features(torch.tensor([[2.0, 0, 0], [0, 5.0, 0]])), Features(torch.tensor([[0, 0, 3.0]]))]
    means = mean_texts(pieces, [[0, 1], [2], [0, 1, 2]]).global_
    assert means[0].tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert means[1].tolist() == [0, 0, 1]
    assert means[2].tolist() == pytest.approx([1 / 3**0.5] * 3)


def of(similarity):
    return SimpleNamespace(similarity=similarity)


def cosine(image, text):
    return F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T


REFUSED = {
    "local features": lambda image, text: cosine(image, text) + text.parts.sum(),
    "local features where there are any": lambda image, text: (
        cosine(image, text) + (0.1 if text.local is not None else 0)
    ),
    "lengths of texts": lambda image, text: cosine(image, text) * text.global_.norm(dim=-1),
    "lengths of images": lambda image, text: image.global_ @ F.normalize(text.global_, dim=-1).T,
    "other texts": lambda image, text: cosine(image, text).softmax(1),
}
ALLOWED = {
    "cosine": cosine,
    "CLIP": lambda image, text: 100 * cosine(image, text),
    "SigLIP": lambda image, text: 10 * cosine(image, text) - 10,
}


@pytest.fixture
def features():
    torch.manual_seed(0)
    return Features(torch.randn(5, 8)), Features(torch.randn(3, 8), torch.randn(3, 4, 8))


@pytest.mark.parametrize("name", REFUSED)
def test_a_similarity_of_more_than_directions_is_refused(name, features):
    with pytest.raises(BenchError, match="(?s)name: options.pooling 'embedding'.*'mean' or 'max'"):
        require_cosine(of(REFUSED[name]), *features, "name")


@pytest.mark.parametrize("name", ALLOWED)
def test_a_scaled_and_shifted_cosine_is_allowed(name, features):
    require_cosine(of(ALLOWED[name]), *features, "name")


@pytest.mark.parametrize("at_once", [64, 2])
def test_groups_add_columns_and_change_none(tmp_path, context, monkeypatch, at_once):
    """By hand from the method's own vectors, also where the texts of a group are in several chunks."""
    monkeypatch.setattr(module, "TEXTS_AT_ONCE", at_once)
    data = numbered_images(tmp_path, [0, 3, 5, 9])
    backbone = mock_backbone(size=16)
    texts = [("edema",), ("no edema",), ("pulmonary edema",), ("no fluid",), ("fluid",)]
    feeds = [Feed(backbone.input)]
    alone = next(similarity_matrices(backbone, data, texts, context, feeds))
    found = next(similarity_matrices(backbone, data, texts, context, feeds, [[0, 2, 4], [1, 3]]))
    assert found.shape == (4, 7) and found[:, :5] == pytest.approx(alone, abs=1e-6)
    method = backbone.text_method.eval()
    with torch.no_grad():
        units = F.normalize(method.encode_text(method.text_encoder.tokenizer(texts)).global_, dim=-1)
    for column, group in enumerate(([0, 2, 4], [1, 3])):
        mean = units[group].mean(0)
        # the cosine to a mean of unit vectors is the mean of the cosines over the length of the mean
        by_hand = alone[:, group].mean(1) / float(mean.norm())
        assert found[:, 5 + column] == pytest.approx(by_hand, abs=1e-5)


def test_other_groups_are_not_taken_from_the_cache(tmp_path, context):
    data, backbone = numbered_images(tmp_path, [0, 1]), planted_backbone()
    texts, feeds = [("is 0",), ("is 1",), ("is 2",)], [Feed(backbone.input)]
    first, second = (
        next(similarity_matrices(backbone, data, texts, context, feeds, groups))
        for groups in ([[0, 1]], [[0, 2]])
    )
    assert first[:, 3] == pytest.approx([0.5**0.5, 0.5**0.5]) and second[:, 3] == pytest.approx([0.5**0.5, 0])
