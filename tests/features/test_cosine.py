"""Whether vectors can stand for a method's scores is measured."""

import numpy as np
import pytest
from tiny_methods import VIT, build

from prior_bench.api import Backbone
from prior_bench.features.cosine import cosine_fit, fit
from prior_bench.features.extract import extract
from prior_bench.features.similarity import similarity_matrix, text_vectors
from prior_bench.mock import mock_backbone

RNG = np.random.default_rng(0)
COSINES = RNG.uniform(-0.1, 0.1, (9, 7))


@pytest.mark.parametrize(
    ("scores", "wanted"),
    [
        (COSINES, (1, 0)),
        (14.3 * COSINES, (14.3, 0)),
        (117 * COSINES - 12.9, (117, -12.9)),
        (COSINES + 1e-5 * RNG.normal(size=COSINES.shape), (1, 0)),
    ],
)
def test_scale_and_bias_are_found(scores, wanted):
    assert fit(COSINES, scores) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(
    "scores",
    [
        -COSINES,
        COSINES**3,
        np.exp(14 * COSINES) / np.exp(14 * COSINES).sum(1, keepdims=True),
        COSINES + 0.02 * RNG.uniform(size=COSINES.shape),
        COSINES.T.reshape(COSINES.shape),
        np.full_like(COSINES, 0.5),
        COSINES + np.linspace(0, 0.1, 7),  # a bias for each text changes which image is nearest
        np.where(COSINES == COSINES.max(), np.nan, COSINES),
    ],
)
def test_scores_that_are_no_scaled_cosine_are_not_fitted(scores):
    assert fit(COSINES, scores) is None


@pytest.mark.parametrize(
    ("kind", "image"), [("convirt", {}), ("mgca", {"image": VIT}), ("gloria", {})], ids=lambda kind: str(kind)
)
def test_methods_with_and_without_a_cosine(tiny, context, kind, image):
    method = build(kind, **image).eval()
    encoder = method.image_encoder
    backbone = Backbone(kind, encoder, method, encoder.input, kind)
    texts = [("There is edema.", "No pleural effusion."), ("Clear.",)]
    fitted = cosine_fit(backbone, tiny, texts, context)
    assert fitted == (None if kind == "gloria" else (1, 0))


def test_the_vectors_give_the_scores(tiny, context):
    backbone, texts = mock_backbone(), [("There is edema.", "Big."), ("Clear.",), ("No effusion.",)]
    image = extract(backbone, tiny, context, "joint")
    text = text_vectors(backbone, texts, context)
    image, text = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (image, text))
    assert image @ text.T == pytest.approx(similarity_matrix(backbone, tiny, texts, context), abs=1e-6)
    assert cosine_fit(backbone, tiny, texts[:1], context) == (1, 0)


def test_a_method_that_is_random_has_no_vectors(tiny, context):
    backbone = mock_backbone()
    backbone.method.random_evaluation = True
    assert cosine_fit(backbone, tiny, [("Clear.",)], context) is None
