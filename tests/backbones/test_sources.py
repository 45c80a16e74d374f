import pytest
import timm
import torch

from prior_bench.api import LoadContext
from prior_bench.errors import BenchError
from prior_bench.registry import BACKBONES

SMALL = dict(
    model_name="resnet18", in_channels=1, input=dict(size=32), model_args=dict(channels=(8, 8, 8, 8))
)


def build(**config):
    return BACKBONES.build(config)


def test_random_weights_depend_on_the_seed_alone():
    source = build(type="random", name="random", image_encoder=SMALL)
    source.check()
    state = torch.get_rng_state()
    first = source.load(0, LoadContext())
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    again, other = source.load(0, LoadContext()), source.load(1, LoadContext())
    weights = [b.image_encoder.model.conv1.weight for b in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert first.identity == again.identity == source.identity(0) != other.identity
    assert first.method is None and not source.has_text and not first.image_encoder.training


def test_timm_weights_from_a_file(tmp_path):
    path = tmp_path / "weights.pth"
    model = timm.create_model("resnet18", channels=(8, 8, 8, 8))
    torch.save(model.state_dict(), path)
    source = build(type="timm", name="ImageNet", image_encoder=SMALL, file=str(path))
    source.check()
    backbone = source.load(0, LoadContext())
    grey = model.conv1.weight.sum(1, keepdim=True)
    torch.testing.assert_close(backbone.image_encoder.model.conv1.weight, grey)
    identity = source.identity(0)
    torch.save({k: v + 1 for k, v in model.state_dict().items()}, path)
    assert source.identity(0) != identity


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (dict(type="random", image_encoder="resnet5O"), "did you mean resnet50"),
        (dict(type="random", image_encoder=dict(model_nam="resnet18")), "did you mean model_name"),
        (dict(type="random", config="convirt_sampel"), "did you mean convirt_sample"),
        (dict(type="random"), "either 'config' or 'image_encoder'"),
        (dict(type="timm", image_encoder="resnet18", file="absent.pth"), "absent.pth: no such weights file"),
        (dict(type="checkpoint", path="absent.pth"), "absent.pth: no such checkpoint"),
    ],
)
def test_rows_that_cannot_work_say_so_before_anything_is_loaded(config, message):
    with pytest.raises(BenchError, match=message):
        build(name="row", **config).check()


def test_the_class_of_the_method_is_known_before_loading(tmp_path):
    from tiny_methods import CNN, TEXT
    from tiny_methods import build as tiny_method

    from baselines.convirt import ConVIRT
    from baselines.gloria import GLoRIA
    from prior_bench.backbones.given import GivenModel
    from prior_bench.checkpoints.native import save_image_encoder, save_method
    from prior_bench.mock import MockMethod

    assert build(type="random", name="row", config="convirt_sample").method_class is ConVIRT
    assert build(type="pretrain", name="row", config="gloria_sample").method_class is GLoRIA
    assert build(type="random", name="row", image_encoder=SMALL).method_class is None
    method = tiny_method("gloria")
    config = dict(type="gloria", image_encoder=CNN, text_encoder={"config": TEXT["config"]}, embed_dim=8)
    path = save_method(tmp_path / "method.safetensors", method, config, {})
    assert build(type="checkpoint", name="row", path=str(path)).method_class is GLoRIA
    path = save_image_encoder(tmp_path / "image.safetensors", method.image_encoder, {})
    assert build(type="checkpoint", name="row", path=str(path)).method_class is None
    assert GivenModel(MockMethod(32)).method_class is MockMethod
    assert GivenModel(MockMethod(32).image_encoder).method_class is None


def test_timm_weights_that_cannot_be_had_are_told_before_a_run(tmp_path, monkeypatch):
    from prior_bench.backbones.timm import TimmWeights
    from prior_bench.encoders import image
    from prior_bench.errors import NotThereError

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    source = TimmWeights("row", "resnet18")
    monkeypatch.setattr(image, "_is_cached", lambda name: False)
    with pytest.raises(NotThereError, match="'resnet18' is not in the local cache.*\n.*torch.save"):
        source.check()
    monkeypatch.setattr(image, "_is_cached", lambda name: True)
    source.check()
