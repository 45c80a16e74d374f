from dataclasses import fields

import pytest

from prior_bench.errors import BenchError
from prior_bench.prior.variants import EXTENDED, PAPER, RELEASED, PriorVariant
from prior_bench.variants import is_extension, presets, resolve


def test_every_switch_is_documented_and_on_in_the_released_preset():
    for switch in fields(PriorVariant):
        assert switch.metadata["doc"]
        assert getattr(RELEASED, switch.name) is not is_extension(switch)


def test_paper_has_none_but_the_undecided_one():
    assert [switch.name for switch in fields(PriorVariant) if getattr(PAPER, switch.name)] == [
        "soft_prototypes"
    ]


def test_extended_is_the_paper_with_the_extensions_on():
    for switch in fields(PriorVariant):
        assert getattr(EXTENDED, switch.name) is (is_extension(switch) or getattr(PAPER, switch.name))
    assert EXTENDED != PAPER and resolve("extended", PriorVariant) == EXTENDED


def test_a_method_without_extensions_has_no_extended_preset():
    from baselines.mgca.variants import MgcaVariant

    assert list(presets(MgcaVariant)) == ["paper", "released"]
    with pytest.raises(BenchError, match="variant"):
        resolve("extended", MgcaVariant)


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
