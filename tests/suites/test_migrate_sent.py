"""Migration of what somebody else sent: nothing is looked up or fetched because a file of theirs names it."""

import json
import sys

import numpy as np
import pytest
from fixed_store import spec

from prior_bench.api import LoadContext, RunRecord, RunSpec
from prior_bench.encoders.hub import without_hub
from prior_bench.errors import BenchError
from prior_bench.pretraining.migrate import require_registered
from prior_bench.store.store import Store
from prior_bench.suites.migrate import _identity, migrate

SPEC = spec("A", "classification", "chexpert", "demo/linear_probe")


@pytest.fixture
def theirs(tmp_path):
    store = Store(tmp_path / "theirs")
    record = RunRecord("k", "done", SPEC, metrics={"auroc": 0.5})
    store.save(record, {"id": np.array(["a", "b"]), "patient_id": np.array(["p", "q"])})
    return store


def changed(folder, **changes):
    file = folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize(
    "change",
    [
        {"task": "evil:Task"},
        {"backbone": {"name": "A", "type": "evil:Source"}},
        {"backbone": {"name": "A", "type": "pretrain", "config": "evil.py"}},
        {"backbone": {"name": "A", "type": "pretrain", "config": "../../../evil"}},
        {
            "backbone": {
                "name": "A",
                "type": "pretrain",
                "config": "convirt_sample",
                "overrides": {"hooks": [{"type": "evil.Hook"}]},
            }
        },
        {
            "backbone": {
                "name": "A",
                "type": "random",
                "config": "convirt_sample",
                "overrides": {"method.type": "evil:M"},
            }
        },
        {"backbone": {"name": "A", "type": "hf", "model": "someone/model"}},
        {"backbone": {"name": "A", "type": "checkpoint", "path": "/dev/zero"}},
        {"data": {"name": "d", "type": "evil:read", "root": "/"}},
        {"protocol": {**SPEC["protocol"], "options": {"corruptions": ["evil:blur"]}}},
        {"protocol": {**SPEC["protocol"], "options": {"prompts": "/dev/zero.json"}}},
    ],
)
def test_migration_looks_up_nothing_that_a_record_names(theirs, tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('ran', 'w')\n")
    told = {"identity": "i", "data_fingerprint": "f", "finished": "2026-01-01"}
    changed(theirs.runs / "k", spec={**SPEC, **change}, provenance=told)
    left = migrate(theirs, LoadContext(), dry_run=True).left["k"]
    assert "it names" in left and "--own" in left
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


@pytest.mark.parametrize(
    "change",
    [
        {"method": {"type": "evil:Method"}},
        {"data": {"dataset": "evil:read"}},
        {"data": {"dataset": {"type": "evil:read", "root": "/"}}},
        {"hooks": [{"type": "evil.Hook"}]},
        {"validation": {"prompts": "/dev/zero.json"}},
        {"method": "x"},
    ],
)
def test_migration_looks_up_nothing_that_a_folder_of_weights_names(tmp_path, monkeypatch, change):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('ran', 'w')\n")
    config = {"method": {"type": "convirt"}, "data": {"dataset": "sample:mimic_cxr"}, **change}
    with pytest.raises(BenchError, match=r"run\.json holds no config|its config names .*--own"):
        require_registered(config, tmp_path)
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


@pytest.mark.parametrize(
    "row",
    [
        {"type": "card", "model": "rad_dino"},
        {"type": "random", "image_encoder": {"model_name": "resnet18", "pretrained": True}},
    ],
)
def test_migration_contacts_no_hub_because_of_a_record(theirs, monkeypatch, row):
    def refused(*arguments, **named):
        raise AssertionError("it contacts something")

    monkeypatch.setattr("prior_bench.encoders.hub.is_offline", lambda: False)
    monkeypatch.setattr("socket.create_connection", refused)
    monkeypatch.setattr("socket.getaddrinfo", refused)
    told = {"identity": "i", "data_fingerprint": "f", "finished": "2026-01-01", "declared_versions": {}}
    changed(theirs.runs / "k", spec={**SPEC, "backbone": {"name": "A", **row}}, provenance=told)
    with without_hub():
        _, why = _identity(RunSpec(**theirs.get("k").spec), told, LoadContext())
    assert "nothing is fetched" in why
