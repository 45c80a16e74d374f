"""Every registered method keeps the contract, and a method that breaks it is caught."""

import pytest
import torch

from baselines.convirt import ConVIRT
from prior_bench.cli.check_method import run as check_method
from prior_bench.registry import METHODS
from prior_bench.scaffold import checks
from prior_bench.scaffold.subject import Subject

TINY = {
    "method.image_encoder.model_args.channels": (8, 8, 16, 16),
    "method.image_encoder.input.size": 64,
    "method.text_encoder.config.hidden_size": 32,
    "method.text_encoder.config.intermediate_size": 32,
    "method.embed_dim": 32,
}
PRIOR = {"method.image_blocks": 5, "method.decoder_layers": 1, "method.prototypes": 16, "method.queries": 4}
NEEDS = {
    "convirt_released": {"method.image_hidden": 16, "method.text_hidden": 16},
    "prior": PRIOR,
    "mgca": {"method.hidden_dim": 32, "method.prototypes": 8},
}
"""What a method needs beside small encoders."""


def made(name, **more):
    return Subject.of(name, {**TINY, **NEEDS.get(name, {}), **more})


SUBJECTS = {name: (name, {}) for name in METHODS.names() if ":" not in name}
SUBJECTS |= {f"prior, stage {n}": ("prior", {"method.stage": n}) for n in (2, 3)}


@pytest.fixture(scope="module", params=SUBJECTS)
def subject(request):
    name, more = SUBJECTS[request.param]
    return made(name, **more)


@pytest.mark.parametrize("check", checks.CHECKS, ids=lambda check: check.__name__)
def test_registered_methods_keep_the_contract(subject, check):
    assert check(subject)


class TextIsIdle(ConVIRT):
    def encode_text(self, text):
        features = super().encode_text(text)
        return features._replace(global_=features.global_.detach())


class LossIsAVector(ConVIRT):
    def loss(self, batch):
        return {name: value[None] for name, value in super().loss(batch).items()}


class LossIsNotFinite(ConVIRT):
    def loss(self, batch):
        return {"loss": sum(super().loss(batch).values()) / 0}


class NoLoss(ConVIRT):
    def loss(self, batch):
        return {"cost": sum(super().loss(batch).values())}


class PaddingCounts(ConVIRT):
    def encode_text(self, text):
        features = super().encode_text(text)
        return features._replace(global_=features.global_ * text.input_ids.shape[1])


class TextsByImages(ConVIRT):
    def similarity(self, image, text):
        return super().similarity(image, text).T


class OrderMatters(ConVIRT):
    def encode_image(self, images):
        features = super().encode_image(images)
        return features._replace(global_=features.global_ + torch.arange(len(images))[:, None])


class Noisy(ConVIRT):
    def encode_image(self, images):
        features = super().encode_image(images)
        return features._replace(global_=features.global_ + torch.randn_like(features.global_))


class Forgetful(ConVIRT):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.shift = torch.randn(())

    def encode_image(self, images):
        features = super().encode_image(images)
        return features._replace(global_=features.global_ + self.shift)


class Climbs(ConVIRT):
    def loss(self, batch):
        return {name: 2 * value.detach() - value for name, value in super().loss(batch).items()}


class TwoDimensionalLocal(ConVIRT):
    def encode_text(self, text):
        features = super().encode_text(text)
        return features._replace(local=features.global_)


@pytest.mark.parametrize(
    "kind, check, message",
    [
        (LossIsAVector, checks.losses_are_finite_scalars, r"has shape \[1\]; must be a scalar"),
        (LossIsNotFinite, checks.losses_are_finite_scalars, "loss is inf"),
        (NoLoss, checks.losses_are_finite_scalars, "no name starts with 'loss': cost"),
        (TextIsIdle, checks.gradients_reach_both_encoders, "no gradient reaches the text_encoder"),
        (PaddingCounts, checks.padding_changes_nothing, "global text features changed by"),
        (PaddingCounts, checks.a_row_does_not_depend_on_the_others, "text 0 alone changed by"),
        (TextsByImages, checks.similarity_is_images_by_texts, r"has shape \[4, 3\]; must be \[3, 4\]"),
        (OrderMatters, checks.order_permutes_results, "global image features changed by"),
        (Noisy, checks.evaluation_is_deterministic, "image features differ"),
        (Forgetful, checks.checkpoint_gives_the_same_numbers, "image features differ after loading"),
        (Climbs, checks.loss_falls_on_a_fixed_batch, "at first"),
        (TwoDimensionalLocal, checks.text_features_have_shape, r"local is \[4, 32\]"),
    ],
)
def test_a_broken_method_is_caught(kind, check, message):
    METHODS.register_module(name="broken", module=kind, force=True)
    try:
        with pytest.raises(checks.Broken, match=message):
            check(made("broken"))
    finally:
        del METHODS._module_dict["broken"]


def test_a_method_may_say_that_its_evaluation_is_random():
    METHODS.register_module(
        name="broken", module=type("Random", (Noisy,), {"random_evaluation": True}), force=True
    )
    try:
        subject = made("broken")
        assert checks.evaluation_is_deterministic(subject) == checks.RANDOM
        assert checks.order_permutes_results(subject) == checks.RANDOM
    finally:
        del METHODS._module_dict["broken"]


def test_the_command_prints_a_line_per_check_and_fails_with_the_method(capsys):
    import argparse

    METHODS.register_module(name="broken", module=PaddingCounts, force=True)
    settings = [f"{key}={value}" for key, value in TINY.items()]
    try:
        assert check_method(argparse.Namespace(name="broken", set=settings)) == 1
    finally:
        del METHODS._module_dict["broken"]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(checks.CHECKS) + 2 and lines[-1] == "10 of 12 checks passed"
    failed = [line for line in lines if line.startswith("FAILED")]
    assert len(failed) == 2 and failed[0].startswith("FAILED  padding changes nothing")
    assert sum(line.startswith("ok ") for line in lines) == 10


def test_an_unknown_method_is_one_message():
    from prior_bench.errors import BenchError

    with pytest.raises(BenchError, match="no method and no config 'convirrt'"):
        Subject.of("convirrt")
