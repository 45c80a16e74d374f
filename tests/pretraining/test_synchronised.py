from dataclasses import replace

import pytest
import timm
import torch
from torch import nn

from prior_bench.pretraining.identity import run_versions
from prior_bench.pretraining.synchronised import synchronised, synchronised_part


def activations(model):
    """The activations of layers that normalise and activate."""
    return [type(m.act) for m in model.modules() if hasattr(m, "act") and hasattr(m, "running_mean")]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("densenet121", dict(growth_rate=4, block_config=(1, 1, 1, 1))),
        ("test_efficientnet", {}),
        ("resnetv2_50", dict(layers=(1, 1, 1, 1), channels=(8, 8, 8, 8), stem_chs=8)),
        ("resnet18", dict(channels=(4, 4, 8, 8), stem_width=8)),
    ],
)
def test_outputs_and_activations_stay(name, arguments):
    torch.manual_seed(0)
    model = timm.create_model(name, num_classes=3, **arguments)
    for layer in model.modules():  # statistics and weights that are not those of a new layer
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.weight)
    images = torch.randn(2, 3, 64, 64)
    parameters = {name: parameter for name, parameter in model.named_parameters()}
    with torch.no_grad():
        before = model.eval()(images)
    acting = [
        type(layer.act) for layer in model.modules() if hasattr(layer, "drop") and hasattr(layer, "act")
    ]
    converted = synchronised(model)
    with torch.no_grad():
        torch.testing.assert_close(converted.eval()(images), before, rtol=0, atol=1e-5)
    norms = [m for m in converted.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    assert norms and all(isinstance(norm, nn.SyncBatchNorm) for norm in norms)
    assert acting == activations(converted)
    assert dict(converted.named_parameters()).keys() == parameters.keys()
    assert all(parameter is parameters[name] for name, parameter in converted.named_parameters())


def test_activations_that_a_plain_converter_drops_are_there():
    model = timm.create_model("densenet121", growth_rate=4, block_config=(1, 1, 1, 1))
    torch.manual_seed(0)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        before = model.eval()(images)
        plain = nn.SyncBatchNorm.convert_sync_batchnorm(model).eval()(images)
    assert (plain - before).abs().max() > 0.01  # what the test above would see


def test_the_identity_tells_where_activations_had_been_dropped_and_nowhere_else(config):
    assert synchronised_part({"model_name": "densenet121"}) == ("synchronised_statistics",)
    assert synchronised_part({"model_name": "resnet18"}) == synchronised_part({"model_name": "nothing"}) == ()
    encoder = {**config.method["image_encoder"], "model_name": "test_efficientnet", "model_args": {}}
    dense = replace(config, method={**config.method, "image_encoder": encoder})
    for one, told in (
        (config, False),
        (replace(config, sync_batch_norm=True), False),
        (dense, False),
        (replace(dense, sync_batch_norm=True), True),
    ):
        assert ("synchronised_statistics" in run_versions(one)) == told
