"""Released image encoders give the features of the libraries that own them, on the same pixels."""

import pytest
import timm
import torch
import torch.nn.functional as F
import torchvision
from known_files import (
    KNOWN,
    chexnet,
    children,
    densenet,
    eva,
    filed_eva,
    filed_lite,
    kad,
    lite,
    masked,
    old_densenet,
    old_swin,
    prefixed,
    projector,
    resnet50,
    shaken,
    swin_of_timm,
    text,
    vit,
)
from torch import nn

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.checkpoints.files import other_weights
from prior_bench.checkpoints.recognise import load_image_weights
from prior_bench.encoders.image import ImageEncoder


def load(tmp_path, state):
    torch.save(state, path := tmp_path / "file.pth")
    source = CheckpointFile("row", str(path))
    source.check()
    assert not source.has_text
    return source.load(0, LoadContext())


def images(channels=3, size=96):
    return torch.rand(2, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


def maps(children, pixels):
    return nn.Sequential(*children)(pixels)


@torch.no_grad()
def test_torchxrayvision_densenet(tmp_path):
    model = shaken(densenet())
    backbone = load(tmp_path, {**model.state_dict(), "op_threshs": torch.zeros(18)})
    pixels = images(1) * 1024
    close(backbone.image_encoder(pixels).global_, model.features2(pixels))


@pytest.mark.parametrize("wrapper", ["model.", ""])
@torch.no_grad()
def test_torchxrayvision_resnet(tmp_path, wrapper):
    model = shaken(resnet50(1, 18))
    backbone = load(tmp_path, prefixed(wrapper, model.state_dict()))
    pixels = images(1) * 1024
    close(backbone.image_encoder(pixels).global_, maps([*model.children()][:-1], pixels).flatten(1))


@torch.no_grad()
def test_pixels_of_torchxrayvision_are_those_of_the_library():
    import numpy as np
    import torchxrayvision

    from prior_bench.api import InputSpec
    from prior_bench.checkpoints.layouts import layout_named
    from prior_bench.data.images.transforms import eval_transform

    layout = layout_named("torchxrayvision, DenseNet-121")
    image = np.random.default_rng(0).integers(0, 256, (224, 300), dtype=np.uint8)
    wanted = torchxrayvision.datasets.XRayCenterCrop()(torchxrayvision.utils.normalize(image, 255)[None])
    found = eval_transform(InputSpec(**layout.image_encoder["input"]))(image)
    torch.testing.assert_close(found, torch.from_numpy(wanted), rtol=0, atol=1e-3)


@torch.no_grad()
def test_chexnet(tmp_path):
    model = shaken(chexnet())
    state = {"state_dict": prefixed("module.densenet121.", old_densenet(model))}
    backbone = load(tmp_path, state)
    assert backbone.provenance["layout"].startswith("CheXNet")
    wanted = F.relu(model.features(images())).mean((2, 3))
    close(backbone.image_encoder(images()).global_, wanted)


@pytest.mark.parametrize("name", ["BioViL, ResNet-50", "BioViL-T, ResNet-50"])
@torch.no_grad()
def test_biovil(tmp_path, name):
    model = shaken(resnet50())
    state = {**KNOWN[name](), **prefixed("encoder.encoder.", model.state_dict()), **projector()}
    backbone = load(tmp_path, state)
    assert backbone.provenance["layout"] == name
    assert (backbone.input.mean, backbone.input.std) == (0, 1)
    last = maps([*model.children()][:-2], images())
    found = backbone.image_encoder(images())
    close(found.global_, last.mean((2, 3)))
    close(found.local, last.flatten(2).mT)


@pytest.mark.parametrize("name, beginning", [("MedKLIP", "res_features."), ("MAVL", "backbone.")])
@torch.no_grad()
def test_three_stages(tmp_path, name, beginning):
    model = shaken(children(3))
    state = {**KNOWN[f"{name}, ResNet-50"](), **prefixed(beginning, model.state_dict())}
    encoder = load(tmp_path, {"model": prefixed("module.", state)}).image_encoder
    found, wanted = encoder(images()), model(images())
    assert (encoder.dim, encoder.stage_strides) == (1024, (2, 4, 8, 16, 16))
    close(found.global_, wanted.mean((2, 3)))
    close(found.local, wanted.flatten(2).mT)


@pytest.mark.parametrize("stages", [3, 4])
@torch.no_grad()
def test_kad(tmp_path, stages):
    model = shaken(children(stages))
    state = {**kad(stages), **prefixed("res_features.", model.state_dict())}
    parts = {
        "model": {"disease.weight": torch.zeros(4)},
        "image_encoder": state,
        "text_encoder": text("bert."),
    }
    backbone = load(tmp_path, parts)
    assert other_weights(tmp_path / "file.pth") == ("model", "text_encoder")
    close(backbone.image_encoder(images()).global_, model(images()).mean((2, 3)))


@pytest.mark.slow
@torch.no_grad()
def test_masked_autoencoders_pool_patches_with_a_fresh_norm(tmp_path):
    model = shaken(vit())
    parts = masked("bert_encoder.model.w", "bert_mlp.weight", "decoder_pred.weight")
    backbone = load(tmp_path, {"model": {**model.state_dict(), **parts}})
    model.norm = nn.Identity()
    wanted = F.layer_norm(model.forward_features(images(size=224))[:, 1:].mean(1), (768,), eps=1e-6)
    close(backbone.image_encoder(images(size=224)).global_, wanted)
    assert backbone.image_encoder(images(size=256)).local.shape == (2, 256, 768)  # positions are resampled


@pytest.mark.parametrize("size", ["tiny", pytest.param("base", marks=pytest.mark.slow)])
@torch.no_grad()
def test_eva_x(tmp_path, size):
    state = filed_eva(shaken(eva(size)))
    model = eva(size).eval()
    model.load_state_dict(timm.models.eva.checkpoint_filter_fn(dict(state), model))
    found = load(tmp_path, state).image_encoder(images(size=224))
    close(found.global_, model.forward_head(model.forward_features(images(size=224)), pre_logits=True))


def lite0(state, pixels):
    """EfficientNet-Lite0 as its code states it, from the tensors of its file."""

    def step(pixels, conv, norm, stride=1, active=True):
        kernel = state[f"{conv}.weight"]
        side = pixels.shape[-1]
        padding = max((-(-side // stride) - 1) * stride + kernel.shape[-1] - side, 0)
        pixels = F.pad(pixels, [padding // 2, padding - padding // 2] * 2)  # TensorFlow's: more at the end
        pixels = F.conv2d(pixels, kernel, stride=stride, groups=pixels.shape[1] // kernel.shape[1])
        running = (state[f"{norm}.running_mean"], state[f"{norm}.running_var"])
        pixels = F.batch_norm(pixels, *running, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=1e-3)
        return F.relu6(pixels) if active else pixels

    pixels = step(pixels, "_conv_stem", "_bn0", 2)
    for number in range(16):
        block, stride, before = f"_blocks.{number}", 2 if number in (1, 3, 5, 11) else 1, pixels
        if number:
            pixels = step(pixels, f"{block}._expand_conv", f"{block}._bn0")
        pixels = step(pixels, f"{block}._depthwise_conv", f"{block}._bn1", stride)
        pixels = step(pixels, f"{block}._project_conv", f"{block}._bn2", active=False)
        pixels = pixels + before if pixels.shape == before.shape else pixels
    return step(pixels, "_conv_head", "_bn1").mean((2, 3))


@pytest.mark.parametrize("size", [224, 95])
@torch.no_grad()
def test_efficientnet_lite(tmp_path, size):
    torch.manual_seed(0)
    state = filed_lite(shaken(lite(0)))
    backbone = load(tmp_path, state)
    assert backbone.provenance["layout"] == "EfficientNet-Lite0, ImageNet"
    found, wanted = backbone.image_encoder(images(size=size)).global_, lite0(state, images(size=size))
    assert wanted.std() > 0.1, "the features differ"
    close(found, wanted)


@pytest.mark.parametrize("number", [0, 1, 3])
@torch.no_grad()
def test_efficientnet_lite_as_the_start_of_a_training(tmp_path, number):
    model = shaken(lite(number))
    torch.save(prefixed("encoder.", filed_lite(model)), path := tmp_path / "file.pth")
    encoder = ImageEncoder(f"tf_efficientnet_lite{number}").eval()
    found = load_image_weights(encoder, path)
    assert (found["prefix"], found["share"], found["missing"]) == ("encoder.", 1, [])
    close(encoder(images()).global_, model(images()))


@pytest.mark.slow
@torch.no_grad()
def test_ark_reads_the_teacher(tmp_path):
    state = old_swin(shaken(swin_of_timm("base")))
    model = swin_of_timm("base").eval()
    model.load_state_dict(timm.models.swin_transformer.checkpoint_filter_fn(state, model), strict=False)
    student = {name: tensor * 0 for name, tensor in state.items()}
    backbone = load(
        tmp_path, {"state_dict": prefixed("module.", student), "teacher": prefixed("module.", state)}
    )
    close(backbone.image_encoder(images(size=224)).global_, model(images(size=224)))
    assert other_weights(tmp_path / "file.pth") == ("state_dict",)


@torch.no_grad()
def test_torchvisions_first_names_of_a_densenet(tmp_path):
    model = shaken(torchvision.models.densenet121())
    torch.save(old_densenet(model), path := tmp_path / "densenet121-a639ec97.pth")
    source = CheckpointFile("row", str(path), input=dict(mean=0.5, std=0.25))
    source.check()
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["model"] == "densenet121" and backbone.provenance["share"] == 1
    close(backbone.image_encoder(images()).global_, F.relu(model.features(images())).mean((2, 3)))
