from dataclasses import replace

import numpy as np

from prior_bench.api import Rehearsal, RehearsalSize
from prior_bench.features.extract import extract
from prior_bench.features.similarity import similarity_matrix
from prior_bench.mock import mock_backbone


def rehearsed(context, factor=0.1):
    return replace(context, rehearsal=Rehearsal(RehearsalSize(factor)))


def test_a_share_of_the_images_is_seen_and_stands_for_all(tiny, context):
    backbone, context = mock_backbone(), rehearsed(context)
    features = extract(backbone, tiny, context)
    assert backbone.image_encoder.images_seen == 6
    whole = extract(mock_backbone(), tiny, replace(context, rehearsal=None))
    assert features.shape == whole.shape == (60, 32)
    assert np.allclose(features[:6], whole[::10], atol=1e-5), "every tenth image"
    assert np.array_equal(features[6:12], features[:6])
    (measured,) = context.rehearsal.measured
    assert (measured.kind, measured.done, measured.real) == ("forward", 6, 60)
    assert measured.seconds > 0 and measured.once


def test_rehearsed_features_are_not_cached(tiny, context):
    extract(mock_backbone(), tiny, rehearsed(context))
    assert not list(context.cache_dir.rglob("*.safetensors"))


def test_what_shares_features_in_a_real_run_has_one_mark(tiny, context):
    context = rehearsed(context)
    for what in ("global", "global", "joint"):
        extract(mock_backbone(), tiny, context, what=what)
    first, same, other = (m.once for m in context.rehearsal.measured)
    assert first == same != other


def test_similarities_have_the_real_shape(tiny, context):
    context = rehearsed(context)
    texts = [(f"finding {i}",) for i in range(40)]
    scores = similarity_matrix(mock_backbone(), tiny, texts, context)
    assert scores.shape == (60, 40)
    whole = similarity_matrix(mock_backbone(), tiny, texts, replace(context, rehearsal=None))
    assert np.allclose(scores[:6, :4], whole[::10, :4], atol=1e-4)
    assert np.array_equal(scores[:, 4:8], scores[:, :4])
    assert {m.what: (m.done, m.real) for m in context.rehearsal.measured} == {
        "texts": (4, 40),
        "similarity": (6, 60),
    }
