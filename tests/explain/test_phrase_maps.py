"""Maps of phrases: what each kind computes, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from planted_maps import GRID, QUADRANTS, planted_maps, quadrant_phrases
from tiny_data import tiny_manifest

from prior_bench.api import Features
from prior_bench.errors import BenchError
from prior_bench.explain.contract import MAPS, lacking
from prior_bench.explain.phrase_maps import PAIRS_AT_ONCE, phrase_maps
from prior_bench.mock import MockMethod, mock_backbone

OF_LOCAL_FEATURES = [kind for kind in MAPS if kind != "grad_cam"]


@pytest.fixture
def data(tmp_path):
    return quadrant_phrases(tmp_path)


def texts_of(data):
    return [[phrase.text for phrase in some] for some in data.table["phrases"]]


@pytest.mark.parametrize("kind", OF_LOCAL_FEATURES)
def test_maps_are_those_of_their_phrases_image_by_image(data, context, kind):
    texts = texts_of(data)
    maps = phrase_maps(planted_maps(), data, texts, kind, context)
    flat = [text for some in texts for text in some]
    assert maps.shape == (len(flat), GRID, GRID) and maps.dtype == np.float32
    high, low = (0.75, 0.25) if kind == "attention" else (1, 0)
    for text, found in zip(flat, maps, strict=True):
        number = QUADRANTS.index(text.removeprefix("Opacity in the ").strip("."))
        bright = np.zeros((2, 2), bool)
        bright[number // 2, number % 2] = True
        expected = np.where(np.kron(bright, np.ones((4, 4))), high, low)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_images_may_have_different_numbers_of_phrases(data, context):
    texts = [some[: 1 + i % 2] for i, some in enumerate(texts_of(data))]
    texts[1] = texts[1] * 40  # more than one chunk of pairs
    maps = phrase_maps(planted_maps(), data, texts, "similarity", context)
    assert len(maps) == sum(map(len, texts)) > PAIRS_AT_ONCE
    whole = phrase_maps(planted_maps(), data, texts_of(data), "similarity", context)
    np.testing.assert_array_equal(maps[0], whole[0])
    np.testing.assert_array_equal(maps[1:81:2], np.repeat(whole[2][None], 40, 0))
    np.testing.assert_array_equal(maps[-1], whole[-1])


def test_similarity_is_the_mean_cosine_of_words_that_are_no_padding(tmp_path, context):
    """By hand, for the mock method, whose batches of texts are padded."""
    data = tiny_manifest(tmp_path, images=6)
    backbone = mock_backbone(size=64)
    method = backbone.text_method
    texts = [["edema", "a small left pleural effusion"]] * len(data)
    maps = phrase_maps(backbone, data, texts, "similarity", context)
    assert maps.shape == (12, 2, 2)
    tokens = method.text_encoder.tokenizer([("edema",), ("a small left pleural effusion",)])
    seen = []
    encode_image = method.encode_image
    method.encode_image = lambda images: seen.append(encode_image(images)) or seen[-1]
    fresh = replace(context, cache_dir=context.cache_dir / "fresh")
    phrase_maps(backbone, data, texts, "similarity", fresh)
    patches = torch.cat([features.local for features in seen])
    words = method.encode_text(tokens).local.detach()
    for number, count in ((0, 1), (1, 5)):
        cosines = F.cosine_similarity(words[number, :count, None], patches[3][None], dim=-1).mean(0)
        np.testing.assert_allclose(maps[2 * 3 + number].ravel(), cosines, atol=1e-5)
    of_global = phrase_maps(backbone, data, texts, "similarity_global", context)
    vector = method.encode_text(tokens).global_.detach()[1]
    np.testing.assert_allclose(of_global[7].ravel(), F.cosine_similarity(vector, patches[3]), atol=1e-5)


def test_maps_are_cached_by_kind_and_text(data, context):
    backbone, texts = planted_maps(), texts_of(data)
    first = phrase_maps(backbone, data, texts, "similarity", context)
    method = backbone.text_method
    method.encode_image = None  # another call would fail
    np.testing.assert_array_equal(phrase_maps(backbone, data, texts, "similarity", context), first)
    for other in ({"kind": "attention"}, {"texts": [some[::-1] for some in texts]}):
        arguments = {"texts": texts, "kind": "similarity", **other}
        with pytest.raises(TypeError):
            phrase_maps(backbone, data, arguments["texts"], arguments["kind"], context)


def test_a_method_that_draws_noise_has_maps_for_each_seed(data, context):
    backbone, texts = planted_maps(), texts_of(data)
    backbone.text_method.random_evaluation = True
    phrase_maps(backbone, data, texts, "similarity", context)
    backbone.text_method.encode_image = None
    phrase_maps(backbone, data, texts, "similarity", context)
    with pytest.raises(TypeError):
        phrase_maps(backbone, data, texts, "similarity", replace(context, seed=1))


def test_a_phrase_without_a_token_has_no_map(data, context):
    class Forgetful(type(planted_maps().method)):
        def encode_text(self, text):
            features = super().encode_text(text)
            return features._replace(mask=(text.input_ids != 3))

    backbone = replace(planted_maps(), method=Forgetful(), identity="forgetful")
    maps = phrase_maps(backbone, data, texts_of(data), "similarity", context)
    lost = [text.endswith("lower right.") for some in texts_of(data) for text in some]
    assert np.isnan(maps[lost]).all() and np.isfinite(maps[~np.array(lost)]).all() and any(lost)


# --- what is refused --------------------------------------------------------------------------------------


class Global(MockMethod):
    local_features = False


def test_what_a_class_of_methods_lacks():
    assert [lacking(Global, kind) for kind in OF_LOCAL_FEATURES] == ["no local features"] * 3
    assert lacking(MockMethod, "attention") == "no attention over the image"
    assert lacking(MockMethod, "similarity") == lacking(MockMethod, "similarity_global") == ""
    assert lacking(planted_maps().method, "attention") == ""


def test_no_map_is_said_with_what_would_do(data, context):
    texts = texts_of(data)
    with pytest.raises(
        BenchError, match="(?s)backbone 'mock': has no attention over the image.*'similarity'"
    ):
        phrase_maps(mock_backbone(), data, texts, "attention", context)
    with pytest.raises(BenchError, match="backbone 'planted': has no local features, so that"):
        phrase_maps(planted_maps(local=False), data, texts, "similarity", context)
    with pytest.raises(BenchError, match="unknown kind of map 'atention'\n  fix: did you mean attention"):
        phrase_maps(planted_maps(), data, texts, "atention", context)
    with pytest.raises(BenchError, match="has no text encoder"):
        phrase_maps(replace(planted_maps(), method=None), data, texts, "similarity", context)


def changed(**parts):
    """The planted method whose features are changed: ``image`` and ``text`` map Features to Features."""

    class Changed(type(planted_maps().method)):
        def encode_image(self, images):
            return parts.get("image", lambda f: f)(super().encode_image(images))

        def encode_text(self, text):
            return parts.get("text", lambda f: f)(super().encode_text(text))

    return replace(planted_maps(), method=Changed(), identity=f"changed-{sorted(parts)}")


@pytest.mark.parametrize(
    "backbone, kind, what",
    [
        (changed(text=lambda f: Features(f.global_)), "similarity", "no local features of texts"),
        (
            changed(image=lambda f: f._replace(local=f.parts[..., :3])),
            "similarity",
            "patches of 3 channels and texts of 4",
        ),
        (changed(image=lambda f: f._replace(local=f.parts[:, :63])), "similarity", "63 patches"),
        (
            changed(image=lambda f: f._replace(local=f.parts[:, :63])),
            "attention",
            "no attention over a square",
        ),
    ],
)
def test_features_that_make_no_map(data, context, backbone, kind, what):
    with pytest.raises(BenchError, match=f"has {what}"):
        phrase_maps(backbone, data, texts_of(data), kind, context)
