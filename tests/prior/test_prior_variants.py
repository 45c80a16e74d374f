from dataclasses import fields

import pytest

from prior_bench.errors import BenchError
from prior_bench.prior.variants import PAPER, RELEASED, PriorVariant
from prior_bench.variants import resolve


def test_every_switch_is_documented_and_on_in_the_released_preset():
    for switch in fields(PriorVariant):
        assert switch.metadata["doc"]
        assert getattr(RELEASED, switch.name) is True


def test_paper_has_none_but_the_undecided_one():
    assert [switch.name for switch in fields(PriorVariant) if getattr(PAPER, switch.name)] == [
        "soft_prototypes"
    ]


def test_presets_and_switches_on_top_of_them():
    assert resolve("paper", PriorVariant) == PAPER and resolve("released", PriorVariant) == RELEASED
    assert resolve(PAPER, PriorVariant) is PAPER
    mixed = resolve({"base": "released", "inverse_permutation": False}, PriorVariant)
    assert not mixed.inverse_permutation and mixed.scrambled_patches
    assert resolve({"raw_logit_scale": True}, PriorVariant).raw_logit_scale


def test_unknown_names_are_errors_that_suggest():
    with pytest.raises(BenchError, match="did you mean released"):
        resolve("release", PriorVariant)
    with pytest.raises(BenchError, match="did you mean raw_logit_scale"):
        resolve({"raw_logit_scal": True}, PriorVariant)
