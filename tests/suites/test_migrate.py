"""Records and weights of earlier schemes of keys: what is migrated, what is left, and after a kill."""

import json
import os
import runpy
import shutil
import time
from pathlib import Path

import pytest

from prior_bench.api import LoadContext, RunRecord
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.pretrained import Pretrained
from prior_bench.cli import main
from prior_bench.engine.execute import to_do
from prior_bench.errors import BenchError
from prior_bench.io.plain import plain
from prior_bench.pretraining.folder import FINAL, RUN
from prior_bench.pretraining.migrate import migrate_folders
from prior_bench.pretraining.trainer import pretrain
from prior_bench.registry import TASKS
from prior_bench.sample import VERSION, SampleBenchmark
from prior_bench.store.store import Store
from prior_bench.suites import migrate as migration
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite
from prior_bench.versions import FIRST, MACHINERY

HISTORIC = Path(__file__).parents[1] / "historic"
NAMES = {"convirt_sample": "historic_convirt.py", "mgca_sample": "historic_mgca.py"}
"""Shipped configs of the stores' time, and the files that keep them."""


def with_kept_configs(text: str) -> str:
    for name, file in NAMES.items():
        text = text.replace(f'"{name}"', f'"{file}"')
    return text


SUITE = with_kept_configs(runpy.run_path(str(HISTORIC / "make_store.py"))["SUITE"])


@pytest.fixture
def roots(tmp_path, monkeypatch, tiny_sample):
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    shutil.copytree(tiny_sample, tmp_path / "data" / f"sample-{VERSION}-tiny")
    monkeypatch.setattr(SampleBenchmark, "version", 1)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "historic.py").write_text(SUITE)
    for file in NAMES.values():
        shutil.copyfile(HISTORIC / "configs" / file, tmp_path / file)
    return tmp_path


def store_of(roots, name) -> Store:
    """A store of the past, as if it had been made from the kept configs and from today's data.

    The sample benchmark has another edition now, so the data of the stores' time cannot be made any more.
    """
    folder = shutil.copytree(HISTORIC / "stores" / name, roots / "results" / "historic")
    as_if_of_today(folder)
    return Store(folder)


def as_if_of_today(folder):
    plan = expand(load_suite("historic.py"))
    data = {run.spec.data["root"]: run.spec for run in plan.runs}
    for file in (folder / "plan.json", *folder.glob("runs/*/record.json")):
        values = json.loads(with_kept_configs(file.read_text()))
        for part in values.get("runs", [values]):
            spec = data[part["spec"]["data"]["root"]]
            part["spec"]["data"] = plain(spec.data)
            if "provenance" in part:
                fingerprint = plan.data_sets.fingerprint(spec.data, spec.protocol, spec.seed)
                part["provenance"]["data_fingerprint"] = fingerprint
        file.write_text(json.dumps(values))


def by_cell(store):
    """Numbers and predictions of a store, by what the plan says of the cell."""
    found = {}
    for cell in store.plan():
        record = store.get(cell["key"])
        assert record is not None and record.key == cell["key"]
        files = sorted(path.name for path in (store.runs / cell["key"]).iterdir())
        found[json.dumps(cell["spec"], sort_keys=True)] = (record.metrics, record.history, files)
    return found


@pytest.mark.parametrize("name", ["schema1_2026_11_24", "schema1_2026_11_29"])
def test_records_under_hashes_of_source_are_those_of_todays_plan(roots, capsys, name):
    store = store_of(roots, name)
    before, old = by_cell(store), {path.name for path in store.runs.iterdir()}
    plan = expand(load_suite("historic.py"))
    assert len(to_do(plan, store)) == len(before) == 18
    assert main(["results", "migrate", "--own", "historic", "--dry-run"]) == 0
    assert "records: 0 current, 18 would be migrated, 0 left" in capsys.readouterr().out
    assert {path.name for path in store.runs.iterdir()} == old and by_cell(store) == before
    assert main(["results", "migrate", "--own", "historic"]) == 0
    assert "records: 0 current, 18 migrated, 0 left" in capsys.readouterr().out
    assert to_do(plan, store) == [] and by_cell(store) == before
    moved = {path.name for path in store.runs.iterdir()}
    assert moved == {run.key for run in plan.runs} and not moved & old
    record = next(iter(store.records().values()))
    assert record.provenance["migrated_from"] in old and record.provenance["declared_versions"]["task"] == 1
    assert record.provenance["code_version"]  # of the source that made it
    assert main(["results", "migrate", "--own"]) == 0
    assert "records: 18 current, 0 migrated, 0 left" in capsys.readouterr().out


def test_records_from_before_versions_began_are_left_and_counted(roots, capsys):
    store = store_of(roots, "schema1_2026_11")
    before = by_cell(store)
    assert main(["results", "migrate", "--own", "historic"]) == 0
    out = capsys.readouterr().out
    assert f"0 migrated, {len(before)} left" in out and f"{len(before)} left: it is from before" in out
    assert by_cell(store) == before and len(expand(load_suite("historic.py")).runs) == 18


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["copying", "plan", "removing"])
def test_after_a_kill_the_same_call_goes_on(roots, monkeypatch, moment):
    store, context = store_of(roots, "schema1_2026_11_29"), LoadContext(pretrain_dir=roots / "pretrain")
    before = by_cell(store)

    class Killed(BaseException):
        pass

    with monkeypatch.context() as patch:
        if moment == "plan":
            patch.setattr(Store, "save_plan", lambda *_: (_ for _ in ()).throw(Killed))
        else:
            module, name = (migration, "_copy") if moment == "copying" else (migration.shutil, "rmtree")
            real, calls = getattr(module, name), []

            def third(*arguments, **options):
                calls.append(arguments)
                if name == "rmtree" and Path(arguments[0]).name.startswith("."):
                    return real(*arguments, **options)
                if len(calls) == 3:
                    raise Killed
                return real(*arguments, **options)

            patch.setattr(module, name, third)
        with pytest.raises(Killed):
            migration.migrate(store, context, own=True)
    assert by_cell(store) == before  # whatever the plan names is there, before and after
    migration.migrate(store, context, own=True)
    assert by_cell(store) == before and to_do(expand(load_suite("historic.py")), store) == []
    assert len(list(store.runs.iterdir())) == 18


def test_what_is_not_certain_is_left_with_its_reason(roots, monkeypatch):
    store, context = store_of(roots, "schema1_2026_11_29"), LoadContext(pretrain_dir=roots / "pretrain")
    records = list(store.records().values())
    by_task = {record.spec["task"]: record for record in records}

    def edit(record: RunRecord, **provenance) -> str:
        record.provenance |= provenance
        store.save(record)
        return record.key

    expected = {
        edit(by_task["detection"], input={"size": 1}): "not the one of today's config",
        edit(by_task["retrieval"], finished="2026-11-20T00:00:00+00:00"): f"from before {FIRST[:10]}",
        edit(by_task["segmentation"], declared_versions={"reader": 7}): "version of reader is not today's",
        edit(by_task["throughput"], data_fingerprint=""): "lacks data_fingerprint",
    }
    monkeypatch.setattr(TASKS.get("zero_shot"), "version", 2)
    expected |= {r.key: "before version 2 of task" for r in records if r.spec["task"] == "zero_shot"}
    unknown = by_task["classification"]
    unknown.spec["backbone"] = {"name": "Gone", "type": "gone"}
    store.save(unknown)
    expected[unknown.key] = "unknown backbone 'gone'"
    found = migration.migrate(store, context, dry_run=True, own=True)
    assert found.left.keys() == expected.keys()
    for key, reason in expected.items():
        assert reason in found.left[key]


@pytest.mark.slow
def test_of_two_records_of_one_run_the_newer_is_moved(roots):
    store, context = store_of(roots, "schema1_2026_11_24"), LoadContext(pretrain_dir=roots / "pretrain")
    for folder in (HISTORIC / "stores" / "schema1_2026_11_29" / "runs").iterdir():
        shutil.copytree(folder, store.runs / folder.name)
    as_if_of_today(store.root)
    done = migration.migrate(store, context, own=True)
    assert len(done.moved) == len(done.left) == 18
    assert all("newer record of the same run" in reason for reason in done.left.values())
    assert all((HISTORIC / "stores/schema1_2026_11_29/runs" / old).is_dir() for old in done.moved)


@pytest.fixture
def trained(roots):
    """A finished run as the scheme of hashes named it."""
    overrides = {"schedule.epochs": 1, "schedule.warmup_epochs": 0}
    source = Pretrained("Row", "historic_convirt.py", overrides)
    folder = roots / "results" / "pretrain" / f"historic_convirt-seed0-{'0' * 16}"
    pretrain(source.config, folder, 0, "cpu")
    note = json.loads((folder / RUN).read_text())
    kept = {key: note[key] for key in ("seed", "config")}
    (folder / RUN).write_text(json.dumps({"identity": "0" * 16, **kept}))
    return source, folder


def test_pretrained_weights_are_found_again(roots, trained, capsys, monkeypatch):
    source, folder = trained
    root, weights = folder.parent, (folder / FINAL).read_bytes()
    provenance = {"identity": "0" * 16}
    context = LoadContext(pretrain_dir=root)
    assert source.confirms(0, provenance, context) == ""
    assert "not in" in source.confirms(0, {"identity": "1" * 16}, context)
    assert "another config" in Pretrained("Row", "historic_convirt.py").confirms(0, provenance, context)
    (root / "unfinished").mkdir()
    (root / "unfinished" / RUN).write_text('{"identity": "2", "seed": 0}')
    assert main(["results", "migrate", "--own", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "0 current, 1 would be migrated, 1 left" in out and "1 left: training is not finished" in out
    assert folder.is_dir()
    # killed between the note and the name
    with monkeypatch.context() as patch:
        patch.setattr("prior_bench.pretraining.migrate.os.rename", lambda *_: (_ for _ in ()).throw(KeyError))
        with pytest.raises(KeyError):
            migrate_folders(root)
    done = migrate_folders(root)
    place = source.work_dir(0, root)
    assert done.moved == {folder: place} and (place / FINAL).read_bytes() == weights
    assert migrate_folders(root).current == [place] and source.confirms(0, provenance, context) == ""
    monkeypatch.setattr("prior_bench.pretraining.trainer.pretrain", None)  # nothing is trained again
    assert source.load(0, context).identity == source.identity(0)


def test_pretrained_weights_of_before_a_change_are_left(roots, trained):
    _, folder = trained
    before = time.mktime((2026, 11, 24, 0, 0, 0, 0, 0, 0))
    assert MACHINERY["pretraining"].version == 2
    os.utime(folder / FINAL, (before, before))
    assert "before" in migrate_folders(folder.parent).left[folder]


def test_checkpoint_files_are_known_by_their_content(roots, trained):
    _, folder = trained
    source, context = CheckpointFile("Row", str(folder / FINAL)), LoadContext()
    identity = source._native.provenance["identity"]
    assert source.confirms(0, {"backbone": {"identity": identity}}, context) == ""
    assert "does not state" in source.confirms(0, {"backbone": {"identity": "other"}}, context)
    assert "does not state" in source.confirms(0, {}, context)
    assert source.confirms(0, {"backbone": {"sha256": source._sha256}}, context) == ""
    assert "has changed" in source.confirms(0, {"backbone": {"sha256": "0"}}, context)


def test_a_store_in_use_is_not_migrated(roots):
    store = store_of(roots, "schema1_2026_11_29")
    with store.writing(), pytest.raises(BenchError, match="another process"):
        migration.migrate(store, LoadContext(), own=True)
