"""References to computed data: any registered generator, by the part before the colon."""

import pytest

from prior_bench.data.generated import generated, generator_of
from prior_bench.data.open import locate
from prior_bench.data.references import resolve
from prior_bench.registry import GENERATORS


@pytest.mark.parametrize(
    "place, generator",
    [
        ("sample:chexpert", "sample"),
        ("sample_validation:chexpert", "sample_validation"),
        ("sample:", ""),
        ("sample", ""),
        ("chexpert", ""),
        ("unheard_of:chexpert", ""),
        ("my.package:read", ""),
        ("C:/data/chexpert", ""),
        ("/data/sample:chexpert", ""),
    ],
)
def test_the_generator_behind_a_reference(place, generator):
    assert generator_of(place) == generator and generated(place) == bool(generator)


def test_a_generator_of_a_users_own_is_a_peer(tmp_path, monkeypatch):
    class Mine:
        remark = "mine"

        @staticmethod
        def options(name):
            return {"labels": "fourteen"}

        @staticmethod
        def root(name):
            return tmp_path

    monkeypatch.setitem(GENERATORS.module_dict, "mine", Mine)
    assert resolve("mine:chexpert") == {
        "name": "chexpert (mine)",
        "type": "chexpert",
        "root": "mine:chexpert",
        "labels": "fourteen",
    }
    assert locate("mine:chexpert") == ("chexpert (mine)", "chexpert", tmp_path, {"labels": "fourteen"}, True)
