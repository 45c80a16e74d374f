"""Pooling that a protocol states: the mean of the last map in place of the backbone's own."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from prior_bench.api import Backbone, InputSpec
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError, ErrorList
from prior_bench.features.extract import extract
from prior_bench.probing.pooled import MeanPooled, pooled
from prior_bench.suites import protocols
from tasks.classification import Classification

INPUT = dict(size=32, channels=1, mean=(0.5,), std=(0.5,))
PROBE = protocols.load("clean/linear_probe", {"options": {"pool": "mean"}})
FINETUNE = protocols.load(
    "demo/finetune",
    {"batch_size": 12, "stopping": {"iterations": 3, "interval": 3}, "options": {"pool": "mean"}},
)


def backbone(pool: str = "attention") -> Backbone:
    """A small ResNet with random weights."""
    torch.manual_seed(0)
    encoder = ImageEncoder("resnet18", 1, pool=pool, model_args=dict(channels=(8, 8, 8, 8)), input=INPUT)
    return Backbone("a", encoder, None, encoder.input, "weights")


def test_the_feature_is_the_mean_of_the_last_map():
    own = backbone()
    images = torch.rand(2, 1, 32, 32)
    changed = pooled(own, "mean").image_encoder.eval()
    (last,) = own.image_encoder.eval().feature_maps(images, (-1,))
    found = changed(images).global_
    assert found.shape == (2, changed.dim) and last.shape[1:] == (changed.dim, 1, 1)
    torch.testing.assert_close(found, last.mean((2, 3)))
    assert not torch.allclose(found, own.image_encoder(images).global_, atol=1e-3)
    by_average = backbone("avg")
    torch.testing.assert_close(
        pooled(by_average, "mean").image_encoder.eval()(images).global_,
        by_average.image_encoder.eval()(images).global_,
    )


def test_larger_maps_have_a_mean_over_both_sides():
    images = torch.rand(2, 1, 96, 64)
    own = backbone()
    (last,) = own.image_encoder.eval().feature_maps(images, (-1,))
    assert last.shape[-2:] == (3, 2)
    mean = pooled(own, "mean").image_encoder.eval()(images).global_
    np.testing.assert_allclose(mean.detach(), last.detach().numpy().mean((2, 3)), rtol=1e-5, atol=1e-6)


def test_the_attention_pool_is_not_trained():
    encoder = pooled(backbone(), "mean").image_encoder
    encoder(torch.rand(2, 1, 32, 32)).global_.sum().backward()
    trained = {name for name, weight in encoder.named_parameters() if weight.grad is not None}
    assert any(name.endswith("conv1.weight") for name in trained)
    assert not any("attention_pool" in name for name in trained)


def test_own_pooling_changes_nothing():
    own = backbone()
    assert pooled(own, "own") is own
    assert not isinstance(own.image_encoder, MeanPooled)


def test_both_kinds_of_features_are_cached_apart(tiny, context):
    own = replace(backbone(), input=InputSpec(**INPUT))
    first = extract(own, tiny, context)
    second = extract(pooled(own, "mean"), tiny, context)
    assert not np.allclose(first, second, atol=1e-3)
    np.testing.assert_array_equal(extract(own, tiny, context), first)


@pytest.mark.parametrize("protocol", [PROBE, FINETUNE], ids=["probe", "fine-tuning"])
def test_a_protocol_chooses_the_pool(protocol, tiny, context):
    options = {**protocol.options, "pool": "own"}
    scores = [
        Classification().run(backbone(), tiny, one, replace(context, work_dir=context.work_dir / name))
        for name, one in (("mean", protocol), ("own", replace(protocol, options=options)))
    ]
    mean, own = (one.predictions["score"] for one in scores)
    assert mean.shape == own.shape and not np.allclose(mean, own, atol=1e-4)


def test_a_network_without_maps_is_refused():
    class Plain(nn.Module):
        dim, input = 3, InputSpec()

    with pytest.raises(ErrorList, match="gives no feature maps"):
        pooled(Backbone("plain", Plain(), None, InputSpec(), ""), "mean")


def test_stored_vectors_have_no_maps():
    stored = Backbone("vectors", None, None, InputSpec(), "", stored=object())
    with pytest.raises(BenchError, match="no network, which a mean of its last map needs"):
        pooled(stored, "mean")
    assert "mean of the last map" in Classification().needs_pixels(PROBE)
    assert not Classification().needs_pixels(protocols.load("clean/linear_probe"))
