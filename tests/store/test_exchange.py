import os
import zipfile

import numpy as np
import pytest

from prior_bench.api import Protocol, RunRecord
from prior_bench.errors import BenchError
from prior_bench.store.exchange import export_store, merge, opened
from prior_bench.store.store import Store


def spec(name, seed=0):
    return {
        "backbone": {"name": name},
        "task": "t",
        "data": {"name": "d", "type": "d", "root": "d"},
        "protocol": Protocol("p", "t").to_dict(),
        "fraction": 1.0,
        "seed": seed,
    }


def add(store, key, name="A", value=0.5, seed=0):
    store.save(RunRecord(key, "done", spec(name, seed), metrics={"m": value}), {"id": np.array(["x"])})


def cell(key, name="A", seed=0):
    return {"spec": spec(name, seed), "key": key, "reason": ""}


@pytest.fixture
def theirs(tmp_path):
    store = Store(tmp_path / "theirs")
    add(store, "k1")
    add(store, "k2", seed=1)
    return store


def test_export_and_import_into_an_empty_store(tmp_path, theirs):
    theirs.save_plan([cell("k1"), cell("k2", seed=1)])
    assert export_store(theirs, tmp_path / "out" / "x.zip") == 2
    ours = Store(tmp_path / "ours")
    with opened(tmp_path / "out" / "x.zip") as source:
        assert merge(source, ours).added == ["k1", "k2"]
    assert ours.records() == theirs.records() and ours.plan() == theirs.plan()
    assert ours.predictions("k1")["id"].tolist() == ["x"]
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["x.zip"]
    with opened(theirs.root) as source:
        assert merge(source, ours).known == ["k1", "k2"]


def test_same_key_with_other_numbers_is_a_conflict_and_ours_is_kept(tmp_path, theirs):
    ours = Store(tmp_path / "ours")
    add(ours, "k1", value=0.7)
    add(ours, "k2", value=0.5 + 1e-9, seed=1)
    merged = merge(theirs, ours)
    assert merged.conflicts == {"k1": "m is 0.7 here, 0.5 there"} and merged.known == ["k2"]
    assert ours.get("k1").metrics == {"m": 0.7}


def test_plans_grow_by_the_cells_that_are_new(tmp_path, theirs):
    ours = Store(tmp_path / "ours")
    add(ours, "mine", name="B")
    add(ours, "newer")  # the cell of k1, run with other code
    ours.save_plan([cell("mine", "B"), cell("newer")])
    theirs.save_plan([cell("k1"), cell("k2", seed=1)])
    merge(theirs, ours)
    assert [c["key"] for c in ours.plan()] == ["mine", "newer", "k2"]


def test_without_a_plan_here_none_comes_that_would_hide_records(tmp_path, theirs):
    ours = Store(tmp_path / "ours")
    add(ours, "mine", name="B")
    theirs.save_plan([cell("k1")])
    merge(theirs, ours)
    assert ours.plan() == [] and set(ours.records()) == {"mine", "k1", "k2"}


def test_damaged_records_are_left_out(tmp_path, theirs):
    (theirs.runs / "k1" / "record.json").write_text("{")
    merged = merge(theirs, Store(tmp_path / "ours"))
    assert list(merged.damaged) == ["k1"] and "is no JSON" in merged.damaged["k1"] and merged.added == ["k2"]


def test_an_archive_writes_nowhere_else(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for name in ("../evil.txt", "runs/../../evil.txt", "runs/k/evil.py", "/tmp/evil.txt"):
            archive.writestr(name, "x")
    with pytest.raises(BenchError, match="contains no runs"), opened(tmp_path / "evil.zip"):
        pass
    assert sorted(os.listdir(tmp_path)) == ["evil.zip"]


def test_what_is_no_store(tmp_path):
    (tmp_path / "x.zip").write_text("no archive")
    for name, message in (("x.zip", "is not an exported store"), ("y.zip", "neither a store")):
        with pytest.raises(BenchError, match=message), opened(tmp_path / name):
            pass
    with pytest.raises(BenchError, match="no record"):
        export_store(Store(tmp_path / "empty"), tmp_path / "z.zip")
