"""Transformers at their own and at other input sizes, compared with timm."""

import pytest
import timm
import torch

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.random import RandomInit
from prior_bench.backbones.timm import TimmWeights
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError

MODELS = {
    "vit_tiny_patch16_224": dict(depth=2),
    "swin_tiny_patch4_window7_224": dict(depths=(1, 1, 1, 1)),
    "eva02_tiny_patch14_224": dict(depth=2),
    "vit_small_patch14_dinov2": dict(depth=2, img_size=98),
}


def encoder_of(name, **changes):
    torch.manual_seed(0)
    arguments = dict(model_args=MODELS[name], input=dict(size=224))
    return ImageEncoder(name, **{**arguments, **changes}).eval()


@pytest.mark.parametrize("name", MODELS)
def test_features_are_timms_at_the_own_size_and_at_another(name):
    encoder = encoder_of(name)
    own = MODELS[name].get("img_size", 224)
    reference = timm.create_model(name, num_classes=0, **{"img_size": own, **MODELS[name]}).eval()
    reference.load_state_dict(encoder.model.state_dict())
    windows = {"window_size": (7, 7)} if "swin" in name else {}
    for size in (own, {98: 140}.get(own, 448 if windows else 112)):
        if size != own:
            reference.set_input_size((size, size), **windows)  # timm resamples the position embeddings
        images = torch.randn(1, 3, size, size)
        with torch.no_grad():
            torch.testing.assert_close(encoder(images).global_, reference(images), rtol=1e-4, atol=1e-4)
            (grid,) = encoder.feature_maps(images, (-1,))
        assert grid.shape[-1] == size // encoder.stage_strides[-1]


def test_a_model_named_for_a_size_is_built_at_it():
    assert ImageEncoder("vit_tiny_patch16_384", model_args=dict(depth=1)).input.size == 384
    assert ImageEncoder("resnet18").input.size == 224
    large, small = (RandomInit("r", image_encoder=f"vit_tiny_patch16_{size}") for size in (384, 224))
    stated = RandomInit("r", image_encoder=dict(model_name="vit_tiny_patch16_384", input=dict(size=384)))
    assert len({source.identity(0) for source in (large, small, stated)}) == 3


@pytest.mark.parametrize("kind", ["timm", "checkpoint"])
def test_the_input_of_a_file_can_have_another_size(tmp_path, kind):
    name, path = "vit_tiny_patch16_224", tmp_path / "vit.pth"
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=0)
    torch.save(model.state_dict(), path)
    if kind == "timm":
        source = TimmWeights("row", dict(model_name=name, input=dict(size=96)), file=str(path))
    else:
        source = CheckpointFile("row", str(path), image_encoder=name, input=dict(size=96, mean=0.5, std=0.5))
    backbone = source.load(0, LoadContext())
    assert backbone.input.size == 96 and backbone.image_encoder.model.pos_embed.shape[1] == 14**2 + 1
    model.set_input_size((96, 96))
    images = torch.randn(1, 3, 96, 96)
    with torch.no_grad():
        found = backbone.image_encoder(images).global_
        torch.testing.assert_close(found, model.eval()(images), rtol=1e-4, atol=1e-4)
    again = ImageEncoder(**backbone.image_encoder.arguments)
    again.load_state_dict(backbone.image_encoder.state_dict())


@pytest.mark.parametrize(
    "name, size, message",
    [
        ("vit_small_patch14_dinov2", 512, "512 pixels cannot be divided into patches of 14.*\n.*504 or 518"),
        (
            "beit_base_patch16_224",
            256,
            "takes images of 224 pixels only, and the input has 256.*\n.*size=224",
        ),
    ],
)
def test_a_size_that_a_model_does_not_take_is_refused_with_one_that_it_takes(name, size, message):
    with torch.device("meta"):
        encoder = ImageEncoder(name, model_args=dict(depth=1))
        with pytest.raises(BenchError, match=message):
            encoder(torch.zeros(1, 3, size, size))
