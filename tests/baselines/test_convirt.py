import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from prior_bench.api import PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.losses.contrastive import info_nce
from prior_bench.registry import METHODS

FIXTURE = Path(__file__).parent.parent / "golden/convirt/loss"
TENSORS = load_file(f"{FIXTURE}.safetensors")
HYPER = json.loads(FIXTURE.with_suffix(".json").read_text())["hyper"]
PRECISIONS = [(torch.float32, "", 1e-5, 1e-4), (torch.float64, "64", 1e-9, 1e-9)]
TEXTS = [("The heart is enlarged.",), ("No pleural effusion.", "The lungs are clear."), ("Clear.",)]


def tiny(**arguments):
    return METHODS.build(
        dict(
            type="convirt",
            image_encoder=dict(
                model_name="resnet18",
                in_channels=1,
                input=dict(size=32),
                model_args=dict(channels=(8, 8, 16, 16)),
            ),
            text_encoder=dict(
                config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32),
                tokenizer=ReportTokenizer.train(TEXTS, 200, 32),
            ),
            embed_dim=8,
            **arguments,
        )
    )


def agrees(got: torch.Tensor, want: torch.Tensor, tolerance: float) -> bool:
    return bool((got - want).abs().max() <= tolerance * want.abs().max())


def inputs(dtype):
    return [TENSORS[f"in.{side}"].to(dtype, copy=True).requires_grad_() for side in ("image", "text")]


@pytest.mark.parametrize("temperature", HYPER["temperatures"])
@pytest.mark.parametrize(("dtype", "suffix", "tolerance", "grad_tolerance"), PRECISIONS)
def test_the_loss_equals_the_fixture(temperature, dtype, suffix, tolerance, grad_tolerance):
    case = f"T{temperature}"
    image_to_text, text_to_image = info_nce(*inputs(dtype), temperature)
    variants = {
        "i2t": image_to_text,
        "t2i": text_to_image,
        "loss_sum": image_to_text + text_to_image,
        "half": (image_to_text + text_to_image) / 2,
    }
    for name, value in variants.items():
        assert agrees(value, TENSORS[f"out{suffix}.{case}.{name}"], tolerance), name

    for name, weight in (("half", 0.5), ("paper", HYPER["paper"]["lam"])):
        method = tiny(temperature=temperature, image_to_text_weight=weight)
        image, text = inputs(dtype)
        loss = sum(method.alignment(image, text).values())
        loss.backward()
        assert agrees(loss, TENSORS[f"out{suffix}.{case}.{name}"], tolerance)
        for side, leaf in (("image", image), ("text", text)):
            assert agrees(leaf.grad, TENSORS[f"grad{suffix}.{case}.{name}.in.{side}"], grad_tolerance)


@pytest.mark.parametrize(("dtype", "suffix", "tolerance", "_"), PRECISIONS)
def test_the_defaults_are_the_papers(dtype, suffix, tolerance, _):
    method = tiny()
    assert (method.temperature(), method.image_to_text_weight) == (HYPER["paper"]["temperature"], 0.75)
    assert agrees(sum(method.alignment(*inputs(dtype)).values()), TENSORS[f"out{suffix}.ntxent"], tolerance)


def test_loss_trains_every_parameter_of_both_towers():
    method = tiny(learnable_temperature=True)
    batch = PretrainBatch(torch.randn(3, 1, 32, 32), method.text_encoder.tokenizer(TEXTS))
    losses = method.loss(batch)
    assert set(losses) == {"loss_image_to_text", "loss_text_to_image"}
    sum(losses.values()).backward()
    assert [name for name, p in method.named_parameters() if p.grad is None] == []


def test_features_and_similarity():
    method = tiny().eval()
    image = method.encode_image(torch.randn(2, 1, 32, 32))
    text = method.encode_text(method.text_encoder.tokenizer(TEXTS))
    assert image.global_.shape == (2, 8) and text.global_.shape == (3, 8)
    similarity = method.similarity(image, text)
    assert similarity.shape == (2, 3)
    want = torch.nn.functional.cosine_similarity(image.global_[1], text.global_[2], dim=0)
    torch.testing.assert_close(similarity[1, 2], want)
    own = method.similarity(image, image)
    torch.testing.assert_close(own.diagonal(), torch.ones(2))


def test_text_is_max_pooled_unless_told_otherwise():
    assert tiny().text_encoder.pool == "max"
