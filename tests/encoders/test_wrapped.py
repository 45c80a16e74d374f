"""Plain torch modules as image encoders: maps, tokens, and what is refused."""

import copy

import pytest
import timm
import torch
from torch import nn
from torchvision.models import resnet18

from prior_bench.api import InputSpec
from prior_bench.encoders.wrapped import wrap
from prior_bench.errors import BenchError
from prior_bench.openmmlab.backbone import MapReader

LAYERS = ("layer1", "layer2", "layer3", "layer4")
GREY = dict(size=64, channels=1)


@pytest.fixture(scope="module")
def resnet():
    torch.manual_seed(0)
    return wrap(resnet18(), input=dict(size=64), output="avgpool", stages=LAYERS).eval()


@torch.no_grad()
def test_a_torchvision_resnet_gives_what_its_layers_give(resnet):
    images, net = torch.randn(2, 3, 64, 64), resnet.module
    maps = [net.maxpool(net.relu(net.bn1(net.conv1(images))))]
    for name in LAYERS:
        maps.append(getattr(net, name)(maps[-1]))
    features = resnet(images)
    assert resnet.dim == resnet.local_dim == 512 and resnet.stage_channels == (64, 128, 256, 512)
    assert resnet.stage_strides == (4, 8, 16, 32)
    torch.testing.assert_close(features.global_, maps[-1].mean((2, 3)))
    for found, wanted in zip(resnet.feature_maps(images, (0, 3)), (maps[1], maps[4]), strict=True):
        torch.testing.assert_close(found, wanted)
    assert not any(part._forward_hooks for part in net.modules())  # they live no longer than a call
    read = MapReader(resnet, (4, 8, 16, 32))(resnet, images)
    assert [one.shape[-1] for one in read] == [16, 8, 4, 2]


def test_a_copy_reads_its_own_maps(resnet):
    twin = copy.deepcopy(resnet)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
        images = torch.randn(1, 3, 64, 64)
        assert twin.feature_maps(images, (0,))[0].abs().max() == 0
        assert resnet.feature_maps(images, (0,))[0].abs().max() > 0


def test_gradients_reach_the_module(resnet):
    resnet(torch.randn(2, 3, 64, 64)).global_.sum().backward()
    assert resnet.module.conv1.weight.grad.abs().sum() > 0
    resnet.zero_grad()


@torch.no_grad()
def test_a_vit_gives_its_class_token_its_patches_and_square_maps():
    torch.manual_seed(0)
    vit = timm.create_model("vit_tiny_patch16_224", img_size=64, embed_dim=16, depth=2, num_heads=2)
    encoder = wrap(vit, input=dict(size=64), output="norm", stages=["blocks.0", "norm"]).eval()
    images = torch.randn(2, 3, 64, 64)
    tokens = vit.eval().forward_features(images)
    features = encoder(images)
    torch.testing.assert_close(features.global_, tokens[:, 0])
    torch.testing.assert_close(features.local, tokens[:, 1:])
    assert encoder.stage_strides == (16, 16)
    torch.testing.assert_close(encoder.feature_maps(images, (1,))[0][:, :, 1, 2], tokens[:, 1 + 4 + 2])
    mean = wrap(vit, input=dict(size=64), output="norm", pool="mean")
    torch.testing.assert_close(mean(images).global_, tokens[:, 1:].mean(1))


class ChannelsLast(nn.Module):
    def forward(self, images):
        return images[:, :, ::8, ::8].permute(0, 2, 3, 1)


@torch.no_grad()
def test_maps_with_the_channels_last_are_turned():
    encoder = wrap(nn.Sequential(ChannelsLast()), input=dict(size=64), stages=["0"])
    assert encoder.stage_channels == (3,) and encoder.stage_strides == (8,) and encoder.dim == 3
    images = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(encoder.feature_maps(images, (0,))[0], images[:, :, ::8, ::8])
    torch.testing.assert_close(encoder(images).global_, images[:, :, ::8, ::8].mean((2, 3)))


def test_a_module_without_stages_has_no_maps():
    encoder = wrap(nn.Sequential(nn.Flatten(), nn.Linear(64 * 64, 5)), input=GREY)
    assert encoder.dim == 5 and encoder.local_dim is None and encoder.stage_strides is None
    with pytest.raises(BenchError, match="gives no feature maps"):
        MapReader(encoder, (4,))


class Returns(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value, self.spare = value, nn.Linear(1, 1)

    def forward(self, images):
        return self.value


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(stages=["layer5"]), "unknown sub-module 'layer5'.*\n.*layer"),
        (dict(output="avgpol"), "unknown sub-module 'avgpol'"),
        (dict(pool="max"), "unknown pool 'max'"),
        (dict(input=dict(sise=64)), "unknown field 'sise'"),
        (dict(input=GREY), "fails on an image"),
        (dict(dim=10, output="avgpool"), "features of 512 channels, but dim is 10"),
        (dict(stages=["layer3", "layer1"]), "from the finest map to the coarsest"),
        (dict(stages=["fc"]), r"gives a tensor \[1, 1000\]"),
    ],
)
def test_wrong_arguments_are_one_message(resnet, arguments, message):
    with pytest.raises(BenchError, match=message):
        wrap(resnet.module, **{"input": InputSpec(size=64), **arguments})


@pytest.mark.parametrize(
    "value, message",
    [
        ({"a": 1}, "gives a dict"),
        (torch.zeros(1, 2, 3, 4, 5), r"tensor \[1, 2, 3, 4, 5\]"),
        (torch.zeros(1, 35, 2), "35 tokens do not form a square grid"),
    ],
)
def test_features_of_no_known_shape_are_refused(value, message):
    with pytest.raises(BenchError, match=message):
        wrap(Returns(value), input=GREY)


def test_a_sub_module_that_is_not_used_is_refused():
    with pytest.raises(BenchError, match="'spare' is not used in forward"):
        wrap(Returns(torch.zeros(1, 3)), input=GREY, stages=["spare"])
