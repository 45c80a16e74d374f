"""How layers start: as in the released code with its switch, as before without it."""

import pytest
import torch
from tiny_prior import tiny_prior


def made(variant, **arguments):
    torch.manual_seed(0)
    return tiny_prior(variant=variant, **arguments)


def layers(method):
    return {
        "global_image": method.global_image_projection,
        "local_image": method.local_image_projection,
        "local_text": method.local_text_projection,
        "predictor": method.predictor[0],
    }


def test_projections_start_normal_with_variance_one_over_inputs():
    method = made("released")
    for name, layer in layers(method).items():
        scaled = layer.weight.detach() * layer.in_features**0.5
        assert scaled.std() == pytest.approx(1, rel=0.1), name
        assert scaled.abs().max() > 2, "normal: a uniform start of this variance ends at 1.73"
        assert layer.bias.abs().max() > 0, "torch's start of the bias stays"


def test_queries_start_with_variance_one_and_the_sentence_pool_as_torch_starts_it():
    method = made("released", queries=16)
    assert method.prototype_queries.std().item() == pytest.approx(1, rel=0.15)
    pool = method.global_text_attention
    for layer in (pool.k_proj, pool.q_proj, pool.v_proj, pool.c_proj):
        assert layer.weight.abs().max() <= layer.in_features**-0.5, "uniform within 1 / sqrt(inputs)"


def test_the_paper_variant_keeps_its_start():
    method = made("paper", queries=16)
    assert method.prototype_queries.std().item() == pytest.approx(0.02, rel=0.15)
    for layer in layers(method).values():
        assert layer.weight.abs().max() <= layer.in_features**-0.5
    assert method.global_text_attention.k_proj.weight.abs().max() > 32**-0.5


def test_a_single_switch_changes_the_start_alone():
    alone = made(dict(released_initialisation=True))
    assert alone.prototype_queries.std() > 0.5 and not alone.variant.scrambled_patches
