import json

import pytest
import torch

from benchmarks import regression

AGAIN = "if this is meant: python -m benchmarks.regression --write"


@pytest.fixture(scope="module")
def stored():
    return json.loads(regression.STORED.read_text())


def needs_the_same_torch(stored):
    if torch.__version__.partition("+")[0] != stored["torch"]:
        pytest.skip(f"counts were stored with torch {stored['torch']}, whose operators differ")


@pytest.mark.parametrize(
    "name", ["convirt", "gloria", "mgca", "prior, stage 1", "prior, stage 2", "prior, stage 3"]
)
def test_a_step_costs_what_it_did(stored, name):
    needs_the_same_torch(stored)
    method, _, stage = name.partition(", stage ")
    found = regression.step_counts(*regression.small(method, **(dict(stage=int(stage)) if stage else {})))
    wanted = stored["steps"][name]
    assert (found["operators"], found["bytes"]) == (wanted["operators"], wanted["bytes"]), AGAIN
    assert found["peak"] <= 1.02 * wanted["peak"], AGAIN


def test_a_table_reads_each_run_once_and_draws_once_for_each(stored):
    found = regression.table_counts()
    assert found == stored["table"], AGAIN
    assert found == dict.fromkeys(found, regression.TABLE["rows"] * regression.TABLE["seeds"])


def test_one_more_operator_is_noticed():
    method, batch = regression.small("convirt")
    before, plain = regression.step_counts(method, batch), method.loss

    def more(batch):
        return {name: value + 0 for name, value in plain(batch).items()}

    method.loss = more
    after = regression.step_counts(method, batch)
    assert after["operators"] > before["operators"] and after["bytes"] > before["bytes"]


def test_counts_are_printed_beside_the_stored_ones(capsys, tmp_path, monkeypatch):
    place = tmp_path / "stored.json"
    monkeypatch.setattr(regression, "STORED", place)
    monkeypatch.setattr(
        regression, "counts", lambda: {"torch": "1", "steps": {"one": {"operators": 3}}, "table": {}}
    )
    regression.main([])
    assert not place.exists()
    regression.main(["--write"])
    regression.main([])
    assert "| one | 3 | 3 |" in capsys.readouterr().out
