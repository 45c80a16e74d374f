"""Localisation in explanations, with a method whose maps are known."""

import dataclasses

import pytest
from planted_maps import planted_maps, quadrant_phrases

from prior_bench.errors import BenchError
from prior_bench.explain.localisation import localisation

CHANCE = ["a map of noise", "a map of the centre of the image", "another patient's phrase"]


def test_maps_of_the_regions_are_better_than_noise_centre_and_other_phrases(tmp_path, context):
    found = localisation(planted_maps(), quadrant_phrases(tmp_path, images=24), "test", context)
    assert [m.chance_name for m in found] == CHANCE
    assert [m.value for m in found] == pytest.approx([1, 1, 1]) and {m.images for m in found} == {48}
    assert [m.verdict for m in found] == ["better than chance"] * 3
    assert found[0].chance == 0.5 and found[1].chance == pytest.approx(0.5, abs=1e-3)
    assert found[2].chance < 0.5 and all(m.of == "phrases" for m in found)


def test_maps_that_ignore_the_phrase_gain_nothing_over_another_phrase(tmp_path, context):
    found = localisation(planted_maps(always=0), quadrant_phrases(tmp_path, images=24), "test", context)
    other = found[2]
    assert other.gain == 0 and other.verdict == "not significantly different from chance"


def test_maps_of_wrong_regions_are_worse_than_chance(tmp_path, context):
    found = localisation(planted_maps(wrong=1), quadrant_phrases(tmp_path, images=24), "test", context)
    assert found[0].verdict == "worse than chance"


def test_what_cannot_be_measured(tmp_path, context):
    data = quadrant_phrases(tmp_path)
    blind = planted_maps(local=False)
    blind.text_method.local_features = False
    assert localisation(blind, data, "test", context) == []
    none = dataclasses.replace(data, table=data.table.assign(phrases=[()] * len(data)))
    with pytest.raises(BenchError, match="the test split has no phrase with a region"):
        localisation(planted_maps(), none, "test", context)
    without = dataclasses.replace(data, table=data.table.drop(columns="phrases"))
    with pytest.raises(BenchError, match="has no phrases with regions"):
        localisation(planted_maps(), without, "test", context)
    one = dataclasses.replace(data, table=data.table.assign(patient_id="same"))
    assert [m.chance_name for m in localisation(planted_maps(), one, "test", context)] == CHANCE[:2]
