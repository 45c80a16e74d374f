"""Any module with declared features works in every task; what it lacks is said in one message."""

import importlib
import sys

import pytest
import torch
from torch import nn

import prior_bench as pb
from prior_bench.backbones.given import GivenModel
from prior_bench.mock import MockImageEncoder, MockMethod

QUIET = dict(device="cpu", store=None)


class Plain(nn.Module):
    """Declares its features, and gives a tensor; no maps."""

    def __init__(self, dim=8):
        super().__init__()
        self.dim, self.input = dim, pb.InputSpec(size=32, channels=1)
        self.net = nn.Sequential(nn.Conv2d(1, dim, 3, stride=4), nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.norm = nn.BatchNorm1d(dim)

    def forward(self, images):
        return self.norm(self.net(images).flatten(1))


def test_a_plain_module_is_classified_and_left_as_it_was(my_csv):
    torch.manual_seed(0)
    model = Plain().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = pb.evaluate(model, "classification", my_csv, **QUIET)
    assert result.metrics["auroc"] > 0.9  # brightness is easy to see
    assert model.training and all(torch.equal(before[n], v) for n, v in model.state_dict().items())
    assert result.record.spec["backbone"] == {"name": "Plain", "type": "given", "class": "Plain"}
    assert result.record.provenance["backbone"]["class"] == "Plain"


def test_a_plain_module_is_fine_tuned(my_csv):
    torch.manual_seed(0)
    changes = {"stopping.epochs": 1, "batch_size": 16}
    result = pb.evaluate(
        Plain(), "classification", my_csv, protocol="clean/finetune", overrides=changes, **QUIET
    )
    assert 0 <= result.metrics["auroc"] <= 1


@pytest.mark.parametrize("task", ["segmentation", "detection"])
def test_dense_tasks_on_a_module_without_maps_are_refused_before_any_work(task, my_csv):
    with pytest.raises(pb.BenchError, match="Plain gives no feature maps") as caught:
        pb.evaluate(Plain(), task, my_csv, **QUIET)
    text = str(caught.value)
    assert "declares no stage_strides" in text and "self.stage_strides = " in text
    assert "prior_bench.wrap" in text and "stages=" in text


def test_a_module_that_declares_nothing_is_told_what_to_declare(my_csv):
    said = "Conv2d does not fulfil the contract of an image encoder"
    with pytest.raises(pb.BenchError, match=said) as caught:
        pb.evaluate(nn.Conv2d(1, 8, 3), "classification", my_csv, **QUIET)
    assert "declares no dim" in str(caught.value) and "declares no input" in str(caught.value)


def test_declared_numbers_are_compared_with_what_comes_out():
    wrong = Plain()
    wrong.dim = 9
    with pytest.raises(pb.BenchError, match=r"features \[1, 8\]; dim = 9 means \[1, 9\]"):
        GivenModel(wrong)
    encoder = MockImageEncoder()
    encoder.stage_strides = (4, 8, 16, 64)
    with pytest.raises(pb.BenchError, match=r"stage 3 gives a map \[1, 32, 2, 2\]"):
        GivenModel(encoder)
    encoder.input = pb.InputSpec(size=64, channels=3)
    with pytest.raises(pb.BenchError, match="fails on an image"):
        GivenModel(encoder)


def test_a_method_with_a_text_tower_is_compared_with_prompts_and_reports(my_csv):
    torch.manual_seed(0)
    method = MockMethod(32)
    zero_shot = pb.evaluate(method, "zero_shot", my_csv, **QUIET)
    assert zero_shot.predictions["prompt_score"].shape[0] == 12
    retrieval = pb.evaluate(method, "retrieval", my_csv, **QUIET)
    assert 0 <= retrieval.metrics["recall_at_1"] <= 1
    assert pb.evaluate(method, "classification", my_csv, **QUIET).metrics["auroc"] > 0.5


def test_a_task_with_texts_refuses_an_image_encoder_alone(my_csv):
    with pytest.raises(pb.BenchError, match="Plain: cannot be evaluated: no text encoder"):
        pb.evaluate(Plain(), "zero_shot", my_csv, **QUIET)


def test_an_incomplete_method_is_told_what_is_missing():
    class Half(nn.Module):
        def encode_image(self, images):
            return images

    with pytest.raises(pb.BenchError, match="Half is not a complete method") as caught:
        GivenModel(Half())
    for part in ("no encode_text", "no similarity", "no image_encoder", "no text_encoder with a tokenizer"):
        assert part in str(caught.value)


def test_a_similarity_of_the_wrong_shape_is_refused():
    class Transposed(MockMethod):
        def similarity(self, image, text):
            return super().similarity(image, text).T

    with pytest.raises(pb.BenchError, match=r"2 images and 1 text gives Tensor \[1, 2\]"):
        GivenModel(Transposed())


def identity(model) -> str:
    return GivenModel(model).identity(0)


def seeded(make):
    torch.manual_seed(0)
    return make()


def test_equal_models_have_one_identity_and_changed_ones_another():
    same = identity(seeded(Plain))
    assert identity(seeded(Plain)) == same
    used = seeded(Plain)
    with torch.no_grad():
        used.eval()(torch.zeros(2, 1, 32, 32))
    assert identity(used) == same
    weight, buffer, setting, fed = (seeded(Plain) for _ in range(4))
    weight.net[0].weight.data[0, 0, 0, 0] += 1e-3
    buffer.norm.running_mean += 1
    setting.scale = 2.0
    fed.input = pb.InputSpec(size=32, channels=1, mean=0.4)
    found = {same, *map(identity, (weight, buffer, setting, fed))}
    assert len(found) == 5


def test_other_code_with_the_same_weights_is_another_model():
    class Plain2(Plain):
        def forward(self, images):
            return -super().forward(images)

    assert identity(seeded(Plain2)) != identity(seeded(Plain))


CODE = """
from torch import nn
import prior_bench as pb

class Mine(nn.Module):
    dim, input = 1, pb.InputSpec(size=8, channels=1)

    def forward(self, images):
        return images.{what}((2, 3))
"""


def test_an_edited_file_is_another_model_with_the_same_weights_and_structure(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    found = []
    for what in ("mean", "amax", "mean"):
        (tmp_path / "my_model_file.py").write_text(CODE.format(what=what))
        monkeypatch.delitem(sys.modules, "my_model_file", raising=False)
        importlib.invalidate_caches()
        found.append(identity(importlib.import_module("my_model_file").Mine()))
    assert found[0] == found[2] != found[1]


def test_a_class_of_a_notebook_is_known_by_its_own_source(monkeypatch):
    from prior_bench.backbones import model_identity

    monkeypatch.setattr(Plain, "__module__", "__main__")
    first = identity(seeded(Plain))
    monkeypatch.setattr(model_identity.inspect, "getsource", lambda one: "class Plain: edited")
    assert identity(seeded(Plain)) != first


def test_a_loaded_backbone_keeps_its_identity_until_its_weights_change():
    row = dict(type="random", image_encoder=dict(model_name="resnet18", in_channels=1, input=dict(size=32)))
    backbone = pb.load_backbone(row, device="cpu")
    assert identity(backbone) == backbone.identity
    next(backbone.image_encoder.parameters()).data += 1
    assert identity(backbone) != backbone.identity
