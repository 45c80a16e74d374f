"""Images that are enlarged inside the network: which networks, to which side, and how."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from prior_bench.api import Backbone, InputSpec
from prior_bench.errors import ErrorList
from prior_bench.probing.enlarged import Enlarged, enlarged, side_for, with_enlargement
from prior_bench.suites import protocols


class Convolutional(nn.Module):
    dim = 1

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, images):
        return images.flatten(1)


def test_corners_stay_and_values_between_are_linear():
    images = torch.tensor([[0.0, 3.0], [6.0, 9.0]])[None, None]
    expected = np.add.outer(np.arange(0, 7, 2), np.arange(4))
    np.testing.assert_allclose(enlarged(images, 4)[0, 0], expected, atol=1e-6)


def test_only_convolutional_networks_are_enlarged():
    images = torch.rand(2, 1, 3, 3)
    network = with_enlargement(Convolutional(), 5)
    assert isinstance(network, Enlarged)
    torch.testing.assert_close(network(images), enlarged(images, 5).flatten(1))
    transformer = nn.Sequential(nn.Conv2d(1, 4, 2), nn.LayerNorm(4))
    assert with_enlargement(transformer, 5) is transformer
    assert not isinstance(with_enlargement(Convolutional(), None), Enlarged)


@pytest.mark.parametrize(
    ("method", "enlarge", "side"),
    [
        (SimpleNamespace(upsample=43), "as_pretrained", 43),
        (SimpleNamespace(upsample=None), "as_pretrained", None),
        (SimpleNamespace(), "as_pretrained", None),
        (None, "as_pretrained", None),
        (SimpleNamespace(upsample=43), 20, 20),
        (SimpleNamespace(upsample=43), None, None),
    ],
)
def test_the_side_is_the_protocols_or_the_methods(method, enlarge, side):
    assert side_for(Backbone("a", None, method, InputSpec(), ""), enlarge) == side


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("clean/linear_probe", {"options.enlarge": 299}),
        ("mgca/linear_rsna", {"transform.train": None}),
    ],
)
def test_cached_features_are_never_enlarged(name, changes):
    with pytest.raises(ErrorList, match="not enlarged"):
        protocols.load(name, changes)


def test_a_side_that_is_none_is_refused():
    with pytest.raises(ErrorList, match="as_pretrained"):
        protocols.load("mgca/linear_rsna", {"options.enlarge": "as_released"})
