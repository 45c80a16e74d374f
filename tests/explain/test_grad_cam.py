"""Grad-CAM: its formula, what it depends on, what it leaves as it was, and which encoders have it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from grad_cam_by_hand import grad_cam_of
from planted_maps import QUADRANTS, planted_maps, quadrant_phrases
from tiny_data import tiny_manifest
from torch import nn

from prior_bench.api import Features
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.wrapped import wrap
from prior_bench.errors import BenchError
from prior_bench.explain.contract import lacking
from prior_bench.explain.grad_cam import grad_cam
from prior_bench.explain.phrase_maps import phrase_maps
from prior_bench.mock import MockMethod, mock_backbone

IMAGES = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(0))
PHRASES = [["edema", "a left effusion"], ["no pneumothorax"], ["edema", "a fracture", "cardiomegaly"]]


def made(encoder, dim, **parts):
    """The mock method with another image encoder, as a backbone in evaluation mode."""
    torch.manual_seed(0)
    method = MockMethod()
    method.image_encoder = encoder
    method.image_projection = nn.Linear(dim, 32)
    for name, value in parts.items():
        setattr(method, name, value)
    return replace(mock_backbone(), method=method.eval(), image_encoder=encoder)


def maps_of(backbone, images=IMAGES, phrases=PHRASES):
    with torch.no_grad():
        return grad_cam(backbone, backbone.method, images, phrases)


@pytest.mark.parametrize("phrases", [PHRASES, [some[::-1] for some in PHRASES]])
def test_it_is_the_formula_of_each_pair(phrases):
    backbone = replace(mock_backbone(), method=mock_backbone().method.eval())
    maps = maps_of(backbone, phrases=phrases)
    pairs = [(image, phrase) for image, some in zip(IMAGES, phrases, strict=True) for phrase in some]
    assert maps.shape == (6, 2, 2) and maps.dtype == np.float32 and (maps > 0).any()
    for found, (image, phrase) in zip(maps, pairs, strict=True):
        np.testing.assert_allclose(found, grad_cam_of(backbone.method, image, phrase), atol=1e-7)


class Quadrants(nn.Module):
    """Channel n of the map is bright in quadrant n; the global feature is the mean of the map."""

    dim = local_dim = 4

    def __init__(self, spec):
        super().__init__()
        self.input, self.planted = spec, nn.Identity()

    @property
    def grad_cam_layer(self):
        return self.planted

    def forward(self, images):
        side = torch.arange(2).repeat_interleave(4)
        quadrant = (2 * side[:, None] + side[None]).expand(len(images), -1, -1)
        return Features(self.planted(F.one_hot(quadrant, 4).permute(0, 3, 1, 2).float()).mean((2, 3)))


def test_a_phrase_is_seen_where_its_channel_is(tmp_path, context):
    """Without local features; the wrong phrase gives the wrong quadrant."""
    backbone = planted_maps(local=False)
    backbone.method.image_encoder = Quadrants(backbone.input)
    data = quadrant_phrases(tmp_path)
    texts = [[phrase.text for phrase in some] for some in data.table["phrases"]]
    maps = phrase_maps(backbone, data, texts, "grad_cam", context)
    for text, found in zip((text for some in texts for text in some), maps, strict=True):
        number = QUADRANTS.index(text.removeprefix("Opacity in the ").strip("."))
        bright = np.zeros((2, 2))
        bright[number // 2, number % 2] = 1
        np.testing.assert_allclose(found > 0, np.kron(bright, np.ones((4, 4))))


def test_nothing_is_left_behind():
    backbone = replace(mock_backbone(), method=mock_backbone().method.eval())
    layer = backbone.method.image_encoder.grad_cam_layer
    with torch.no_grad():
        grad_cam(backbone, backbone.method, IMAGES, PHRASES)
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled() and not layer._forward_hooks
    assert all(one.grad is None for one in backbone.method.parameters())


def test_only_what_follows_the_map_is_differentiated():
    """What comes before it would need the memory of a training step."""
    backbone = replace(mock_backbone(), method=mock_backbone().method.eval())
    seen = []
    backbone.method.image_encoder.stages[1].register_forward_hook(
        lambda _m, _i, output: seen.append(output.requires_grad)
    )
    maps_of(backbone)
    assert seen == [False]


# --- encoders -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pool", ["avg", "attention"])
@pytest.mark.parametrize(
    ("name", "arguments", "grid"),
    [
        ("resnet18", {}, 2),
        ("densenet121", dict(block_config=(1, 1, 1, 1), growth_rate=64), 2),
        ("convnext_atto", {}, 2),
        ("vit_tiny_patch16_224", dict(depth=2), 4),
        ("swin_tiny_patch4_window7_224", dict(depths=(1, 1, 1, 1), window_size=2), 2),
    ],
)
def test_encoders_of_timm(name, arguments, grid, pool):
    torch.manual_seed(0)
    encoder = ImageEncoder(name, in_channels=1, pool=pool, model_args=arguments, input=dict(size=64))
    backbone = made(encoder, encoder.dim)
    maps = maps_of(backbone)
    assert maps.shape == (6, grid, grid)
    for row, image, phrase in ((0, 0, "edema"), (5, 2, "cardiomegaly")):
        expected = grad_cam_of(backbone.method, IMAGES[image], phrase)
        np.testing.assert_allclose(maps[row], expected, rtol=1e-3, atol=1e-6)


def test_a_wrapped_module_by_its_last_stage():
    net = nn.Sequential(
        nn.Conv2d(1, 8, 8, stride=8), nn.ReLU(), nn.Conv2d(8, 16, 2, stride=2), nn.ReLU(inplace=True)
    )
    spec = dict(size=64, channels=1, mean=0.5, std=0.25)
    encoder = wrap(net, input=spec, stages=["0", "2"])
    assert maps_of(made(encoder, 16)).shape == (6, 4, 4)
    assert wrap(net, input=spec).grad_cam_layer is None


# --- what is refused ----------------------------------------------------------------------------------------


def test_an_encoder_without_a_layer_is_refused_with_what_would_do(tmp_path, context):
    data = tiny_manifest(tmp_path, images=2)
    backbone = planted_maps()
    with pytest.raises(BenchError, match="(?s)has no layer for Grad-CAM.*property grad_cam_layer"):
        phrase_maps(backbone, data, [["a"], ["b"]], "grad_cam", context)


def test_a_score_that_does_not_depend_on_the_map_is_refused():
    class Blind(MockMethod):
        def similarity(self, image, text):
            return F.normalize(text.global_, dim=-1).sum() * torch.ones(len(image.global_), 1)

    backbone = replace(mock_backbone(), method=Blind().eval())
    with pytest.raises(BenchError, match="does not depend on the last map"):
        maps_of(backbone)


def test_weights_that_are_not_finite_are_refused():
    backbone = made(mock_backbone().method.image_encoder, 32)
    with torch.no_grad():
        backbone.method.image_projection.weight.fill_(float("nan"))
    with pytest.raises(BenchError, match="features of images"):
        maps_of(backbone)


def test_scores_that_depend_on_other_texts_are_refused_for_the_class():
    class Together(MockMethod):
        texts_together = True

    assert lacking(Together, "grad_cam") == "scores that depend on the other texts"
    assert lacking(MockMethod, "grad_cam") == lacking(MockMethod(), "grad_cam") == ""
