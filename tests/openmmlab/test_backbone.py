import copy

import pytest
import torch
from torch import nn

from prior_bench.mock import MockImageEncoder
from prior_bench.openmmlab.backbone import EncoderBackbone, MapReader, StackInputs

FROZEN = dict(backbone=True, batch_norm=True)
TRAINED = dict(backbone=False, batch_norm=True)
MGCA = dict(backbone=True, batch_norm=False)


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    return MockImageEncoder(size=64)


def state(module):
    return copy.deepcopy(module.state_dict())


def same(first, second):
    return all(torch.equal(first[key], second[key]) for key in first)


def steps(backbone, count=3):
    """A few training steps on the sum of the maps, as a Runner would do them."""
    parameters = [p for p in backbone.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr=0.1) if parameters else None
    backbone.train()
    for _ in range(count):
        maps = backbone(torch.randn(4, 1, 64, 64))
        if optimizer:
            sum(level.sum() for level in maps).backward()
            optimizer.step()


def test_gives_the_encoders_maps_at_the_strides_asked_for(encoder):
    images = torch.randn(2, 1, 64, 64)
    backbone = EncoderBackbone(encoder, (8, 32), FROZEN).eval()
    maps = backbone(images)
    assert backbone.maps.channels == (16, 32)
    for ours, theirs in zip(maps, encoder.feature_maps(images, (1, 3)), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert [tuple(level.shape[-2:]) for level in maps] == [(8, 8), (2, 2)]


def test_strides_that_no_stage_has_are_resampled(encoder):
    encoder.stage_strides = (16, 16, 16, 16)  # a plain ViT
    encoder.feature_maps = lambda images, stages: [images.new_ones(len(images), 5, 4, 4) for _ in stages]
    encoder.stage_channels = (5, 5, 5, 5)
    reader = MapReader(encoder, (8, 16, 32))
    maps = reader(encoder, torch.zeros(1, 1, 64, 64))
    assert reader.stages == (3, 3, 3)
    assert [tuple(level.shape) for level in maps] == [(1, 5, 8, 8), (1, 5, 4, 4), (1, 5, 2, 2)]
    assert all((level == 1).all() for level in maps)


def test_wholly_frozen_encoder_cannot_move_and_is_in_no_checkpoint(encoder):
    before = state(encoder)
    backbone = EncoderBackbone(encoder, (4, 8, 16, 32), FROZEN)
    steps(backbone)
    assert same(before, state(encoder))
    assert not list(backbone.parameters()) and not backbone.state_dict()
    assert not encoder.training


def test_trained_backbone_is_a_copy_with_still_batch_norm(encoder):
    before = state(encoder)
    backbone = EncoderBackbone(encoder, (4, 8, 16, 32), TRAINED)
    steps(backbone)
    assert same(before, state(encoder))
    after = state(backbone.encoder)
    assert not torch.equal(before["stages.0.0.weight"], after["stages.0.0.weight"])
    assert torch.equal(before["stages.0.1.running_mean"], after["stages.0.1.running_mean"])
    assert all(not m.training for m in backbone.modules() if isinstance(m, nn.BatchNorm2d))


def test_mgcas_frozen_backbone_moves_its_statistics_only(encoder):
    before = state(encoder)
    backbone = EncoderBackbone(encoder, (4, 8, 16, 32), MGCA)
    steps(backbone)
    after = state(backbone.encoder)
    assert same(dict(encoder.named_parameters()), dict(backbone.encoder.named_parameters()))
    assert not torch.equal(before["stages.0.1.running_mean"], after["stages.0.1.running_mean"])
    assert same(before, state(encoder))


def test_init_weights_leaves_the_encoder_alone(encoder):
    before = state(encoder)
    backbone = EncoderBackbone(encoder, (4, 8, 16, 32), TRAINED)
    backbone.init_weights()
    assert same(before, state(backbone.encoder))


def test_inputs_are_stacked_and_not_normalised_again():
    images = [torch.full((1, 4, 4), 7.0), torch.full((1, 4, 4), -7.0)]
    batch = StackInputs()({"inputs": images, "data_samples": None})
    assert torch.equal(batch["inputs"], torch.stack(images))
    levels = [[torch.zeros(2, 4, 4)] * 3, [torch.zeros(5, 2, 2)] * 3]
    batch = StackInputs()({"inputs": levels, "data_samples": None})
    assert [tuple(level.shape) for level in batch["inputs"]] == [(3, 2, 4, 4), (3, 5, 2, 2)]
