import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from fixed_store import spec

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.io.claims import Claim, Owner
from prior_bench.io.leftovers import UNFINISHED, sibling
from prior_bench.io.plain import plain
from prior_bench.store.store import Store

SPEC = spec("A", "fake", "chexpert", "p")


def record(key="k1", **changes) -> RunRecord:
    return RunRecord(**{"key": key, "status": "done", "spec": SPEC, **changes})


def test_record_and_predictions_survive_a_round_trip(tmp_path):
    store = Store(tmp_path / "suite")
    saved = record(
        metrics={"auroc": np.float32(0.5), "auroc/Edema": float("nan")},
        history=[{"epoch": 1, "loss": np.float64(0.25)}],
        split={"train": np.int64(3), "where": tmp_path},
    )
    arrays = {
        "id": np.array(["a", "bb"], dtype=object),
        "score": np.array([[0.1, 0.9], [0.5, 0.5]], np.float32),
        "example_prediction": np.packbits(np.ones((1, 16), bool), axis=1),
        "example_row": np.array([1]),
        "meta_classes": ["Edema", "Pleural Effusion"],
    }
    store.save(saved, arrays)
    loaded = store.get("k1")
    assert loaded.metrics["auroc"] == 0.5 and math.isnan(loaded.metrics["auroc/Edema"])
    assert loaded.history == [{"epoch": 1, "loss": 0.25}]
    assert loaded.split == {"train": 3, "where": str(tmp_path)}
    predictions = store.predictions("k1")
    assert predictions["id"].tolist() == ["a", "bb"] and predictions["id"].dtype.kind == "U"
    assert predictions["meta_classes"].tolist() == ["Edema", "Pleural Effusion"]
    np.testing.assert_array_equal(predictions["score"], arrays["score"])
    np.testing.assert_array_equal(predictions["example_prediction"], arrays["example_prediction"])


def test_what_would_need_pickle_is_refused_and_leaves_no_record(tmp_path):
    store = Store(tmp_path / "suite")
    with pytest.raises(BenchError, match=r"predictions\['boxes'\]"):
        store.save(record(), {"boxes": np.array([{}, None], dtype=object)})
    assert store.records() == {}


def test_saving_again_replaces_the_whole_folder(tmp_path):
    store = Store(tmp_path)
    store.save(record(status="failed", error="no"), traceback="Traceback …")
    assert (tmp_path / "runs/k1/traceback.txt").read_text("utf-8") == "Traceback …"
    store.save(record(metrics={"auroc": 1.0}), {"id": np.array(["a"])})
    assert sorted(p.name for p in (tmp_path / "runs/k1").iterdir()) == ["predictions.npz", "record.json"]
    assert [p.name for p in (tmp_path / "runs").iterdir()] == ["k1"]


def ended(path):
    """A temporary name as a process that has ended has left it."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    name = sibling(path, UNFINISHED).name
    return path.with_name(name.replace(f"-{os.getpid()}-", f"-{process.pid}-"))


def test_half_written_leftovers_are_ignored_and_cleaned(tmp_path):
    store = Store(tmp_path)
    store.save(record())
    leftover, plan = (ended(tmp_path / place) for place in ("runs/k2", "plan.json"))
    leftover.mkdir()
    (leftover / "record.json").write_text("{")
    plan.write_text("[")
    other = tmp_path / "runs/.k4.elsewhere-123-0a0a0a0a-00000000.part"  # of another host, which may write it
    other.mkdir()
    (tmp_path / "runs" / "k3").mkdir()  # a folder without a record is no record
    assert list(store.records()) == ["k1"]
    store.prepare()
    assert not leftover.exists() and not plan.exists() and other.exists()
    assert list(store.records()) == ["k1"]


def test_a_corrupt_record_is_named_and_counts_as_missing(tmp_path, capsys):
    store = Store(tmp_path)
    store.save(record())
    path = tmp_path / "runs/k1/record.json"
    wrong_type = '{"key": "k1", "spec": {}, "metrics": 3}'
    for damaged in ('{"key": "k1", "sta', "[]", '{"status": "done"}', wrong_type):
        path.write_text(damaged)
        assert store.get("k1") is None
        warning = capsys.readouterr().err
        assert str(path) in warning and "counts as not run" in warning


def test_damaged_predictions_are_a_clear_error(tmp_path):
    store = Store(tmp_path)
    store.save(record(), {"id": np.array(["a"] * 500)})
    path = tmp_path / "runs/k1/predictions.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BenchError, match="predictions.npz: predictions cannot be read"):
        store.predictions("k1")


def test_records_of_other_schemas(tmp_path, capsys):
    """A record written before ``schema``, ``trivial`` and ``split`` existed, and one from the future."""
    store = Store(tmp_path)
    for key, values in {
        "old": {"key": "old", "spec": SPEC, "metrics": {"auroc": None}, "gone_field": 1},
        "new": {"key": "new", "status": "done", "spec": {}, "schema": 99},
    }.items():
        (tmp_path / "runs" / key).mkdir(parents=True)
        (tmp_path / "runs" / key / "record.json").write_text(json.dumps(values))
    records = store.records()
    assert list(records) == ["old"]
    assert records["old"].status == "done" and records["old"].trivial == {}
    assert math.isnan(records["old"].metrics["auroc"])
    assert "newer prior-bench (schema 99" in capsys.readouterr().err


def test_only_one_process_changes_the_whole_store(tmp_path):
    with Store(tmp_path).writing():
        with pytest.raises(BenchError, match=f"another process is running this suite: process {os.getpid()}"):
            with Store(tmp_path).writing():
                pass
    with Store(tmp_path).writing():  # free again
        pass


def test_a_cell_is_one_process_s_and_the_others_are_free(tmp_path):
    one, two = Store(tmp_path).claims, Store(tmp_path).claims
    with one.take("a") as claim:
        assert claim.held() and two.owner("a") == two.take("a")
        assert two.owner("a").pid == os.getpid() and two.owner("b") is None
        with two.take("b"):
            assert one.owner("b")
    assert two.owner("a") is None and not any((tmp_path / "claims").iterdir())


def test_cells_and_changes_of_the_whole_store_keep_out_of_each_other_s_way(tmp_path):
    store = Store(tmp_path)
    with store.claims.take("a"), pytest.raises(BenchError, match="is running this suite"), store.writing():
        pass
    with store.writing():
        assert isinstance(store.claims.take("a"), Owner) and store.claims.owner("b")
    with store.claims.take("a") as claim:
        assert isinstance(claim, Claim)


def test_a_stamp_changes_with_every_record(tmp_path):
    store, stamps = Store(tmp_path), set()
    assert store.stamp("k1") is None
    for _ in range(3):
        store.save(record())
        stamps.add(store.stamp("k1"))
    assert len(stamps) == 3 and store.stamp("k1") == store.stamp("k1")


def test_plan_and_log(tmp_path, capsys):
    store = Store(tmp_path / "suite")
    assert store.plan() == []
    cells = [{"spec": plain(SPEC), "key": "", "reason": "no text encoder"}]
    store.save_plan(cells)
    assert store.plan() == cells
    (store.root / "plan.json").write_text("{")
    assert store.plan() == [] and "plan.json" in capsys.readouterr().err
    store.log("started", "k1", "a run")
    store.log("finished", "k1", "a run")
    fields = [line.split("\t") for line in (store.root / "runs.log").read_text().splitlines()]
    assert [line[1:] for line in fields] == [["started", "k1", "a run"], ["finished", "k1", "a run"]]


def test_plain_types():
    values = {1: (np.bool_(True), {2, 1}), "inf": float("inf"), "none": None, "flag": False}
    assert plain(values) == {"1": [True, [1, 2]], "inf": None, "none": None, "flag": False}
    assert json.dumps(plain(np.arange(2))) == "[0, 1]"
    assert isinstance(plain(np.float64(1.5)), float) and os.fspath(plain("a")) == "a"
