"""A record, a plan or predictions of somebody else name no code, and open nothing outside the data root."""

import json
import sys

import numpy as np
import pytest
from PIL import Image
from scored_store import save

from prior_bench.api import RunRecord
from prior_bench.cli import main
from prior_bench.data.named_folders import is_known, remember
from prior_bench.data.open import open_dataset
from prior_bench.data.recorded import open_recorded
from prior_bench.errors import BenchError
from prior_bench.registry import DATASETS
from prior_bench.report.html.sections.training import pretraining_history
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.store.store import Store

SUITE = """
name = "mine"
title = "Mine"
backbones = [dict(name="A", type="random", config="convirt_sample")]
evaluations = [dict(task="classification", data="all", protocol="demo/linear_probe")]
"""
NAMES = ("evil:read", "evil:Read", "torch.hub:load", "os:abort")


@pytest.fixture
def colleague(tmp_path, monkeypatch):
    """A store of somebody else, and ``evil.py`` in the working folder, which notes that it was imported."""
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\nread = Read = print\n")
    (tmp_path / "hubconf.py").write_text("from pathlib import Path\nPath('ran').touch()\n")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    data = table(tmp_path / "data/all")
    (tmp_path / "mine.py").write_text(SUITE)
    store = Store(tmp_path / "results/mine")
    runs = [
        save(store, name, skill, metrics=("auroc",), patients=4, data=data)
        for name, skill in (("A", 1.0), ("B", 2.0))
    ]
    plan = [{"spec": run.spec, "key": run.key, "reason": ""} for run in runs]
    store.save_plan(plan)
    yield store
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


def leaves(value, path=()):
    """Paths of all strings."""
    if isinstance(value, dict) and value:
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list) and value:
        for place, part in enumerate(value):
            yield from leaves(part, (*path, place))
    elif isinstance(value, str):
        yield path


def changed(value, path, new):
    found = json.loads(json.dumps(value))
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return found


def every_verb(store):
    """Run the verbs that read records; they may refuse, but run nothing."""
    load_predictions.cache_clear()
    for command in (
        ["show", "mine/a-0", "--resamples", "2"],
        ["compare", "mine/a-0", "mine/b-0"],
        ["table", "--leaderboard", "--suite", "mine"],
        ["report", "mine.py"],
    ):
        try:
            assert main(command) in (0, 1), command
        except SystemExit as stopped:
            assert stopped.code == 2, command


@pytest.mark.slow
def test_no_field_of_a_record_or_plan_runs_code(colleague, capsys):
    record = colleague.root / "runs/a-0/record.json"
    plan = colleague.root / "plan.json"
    assert record.is_file() and plan.is_file()
    tried = 0
    for file in (record, plan):
        whole = json.loads(file.read_text())
        for path in leaves(whole):
            if path[-1] == "status":
                continue
            file.write_text(json.dumps(changed(whole, path, NAMES[0])))
            every_verb(colleague)
            tried += 1
        file.write_text(json.dumps(whole))
    assert tried > 30


@pytest.mark.parametrize("name", NAMES[::2])
@pytest.mark.parametrize("field", ["task", "data", "backbone"])
def test_a_record_names_no_code(colleague, capsys, name, field):
    for file in (colleague.root / "runs/a-0/record.json", colleague.root / "plan.json"):
        whole = json.loads(file.read_text())
        for spec in [whole["spec"]] if "spec" in whole else [run["spec"] for run in whole["runs"]]:
            if field == "task":
                spec["task"] = name
            else:
                spec[field]["type"] = name
                spec[field]["root"] = str(colleague.root.parent.parent)
        file.write_text(json.dumps(whole))
    every_verb(colleague)


# --- which data are opened


def table(folder):
    folder.mkdir()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a.png")
    (folder / "all.csv").write_text("image,split,Edema\na.png,test,1\n")
    return {"name": "all", "type": "csv", "root": str(folder / "all.csv")}


def test_data_outside_the_data_root_are_shown_only_if_somebody_here_opened_them(tmp_path):
    reference = table(tmp_path / "elsewhere")
    with pytest.raises(BenchError, match="outside the data root"):
        open_recorded(reference, "default", "record 1")
    open_dataset(reference)
    assert open_recorded(reference, "default", "record 1").name == "all"


def test_notes_of_opened_data_are_the_users_own(tmp_path, monkeypatch):
    """They cannot be sent along: nothing under a root or the working folder counts as one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home/state"))
    reference = table(tmp_path / "elsewhere")
    open_dataset(reference)
    notes = [path for path in tmp_path.rglob("*.txt") if path.is_file()]
    assert [note.parent for note in notes] == [tmp_path / "home/state/prior-bench/opened"]
    for root in ("cache", "results", "data", "."):
        (tmp_path / root / "opened").mkdir(parents=True)
        (tmp_path / root / "opened" / notes[0].name).write_bytes(notes[0].read_bytes())
    assert open_recorded(reference, "default", "record 1").name == "all"
    for state in ("", "home/none"):  # the standard says: a relative path counts as none
        monkeypatch.setenv("XDG_STATE_HOME", state)
        monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
        with pytest.raises(BenchError, match="outside the data root"):
            open_recorded(reference, "default", "record 1")


def test_without_a_home_nothing_is_noted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "home")
    before = sorted(tmp_path.rglob("*"))
    remember(tmp_path / "elsewhere")
    assert sorted(tmp_path.rglob("*")) == before and not is_known(tmp_path / "elsewhere")


def test_data_under_the_data_root_are_shown(tmp_path):
    (tmp_path / "data").mkdir()
    reference = table(tmp_path / "data/mine")
    assert open_recorded(reference, "default", "record 1").name == "all"


def test_a_link_out_of_the_working_folder_is_no_data_under_the_data_root(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    (tmp_path / "sent/data").mkdir(parents=True)
    table(tmp_path / "home/pictures")
    monkeypatch.chdir(tmp_path / "sent")
    monkeypatch.delenv("PRIOR_BENCH_DATA", raising=False)
    (tmp_path / "sent/data/all").symlink_to(tmp_path / "home/pictures")
    reference = {"name": "all", "type": "csv", "root": "data/all/all.csv"}
    with pytest.raises(BenchError, match="outside the data root"):
        open_recorded(reference, "default", "record 1")
    monkeypatch.setenv("PRIOR_BENCH_DATA", "data")  # the root is the user's, and so are links in it
    assert open_recorded(reference, "default", "record 1").name == "all"


@pytest.mark.parametrize("way", ["absolute", "..", "link"])
def test_images_outside_the_folder_of_sent_data_are_not_shown(tmp_path, way):
    (tmp_path / "data").mkdir()
    table(tmp_path / "elsewhere")
    reference, private = table(tmp_path / "data/mine"), tmp_path / "elsewhere/a.png"
    name = {"absolute": str(private), "..": "../../elsewhere/a.png", "link": "b.png"}[way]
    if way == "link":
        (tmp_path / "data/mine/b.png").symlink_to(private)
    (tmp_path / "data/mine/all.csv").write_text(f"image,split,Edema\n{name},test,1\n")
    with pytest.raises(BenchError, match="an image outside their folder"):
        open_recorded(reference, "default", "record 1")
    open_dataset(reference)  # the user's own word
    assert open_recorded(reference, "default", "record 1").name == "all"


@pytest.mark.parametrize("place", ["data/../elsewhere/all.csv", "data-of-others/all.csv"])
def test_a_way_out_of_the_data_root_is_none(tmp_path, place):
    (tmp_path / "data").mkdir()
    table(tmp_path / "elsewhere"), table(tmp_path / "data-of-others")
    with pytest.raises(BenchError, match="outside the data root"):
        open_recorded({"name": "x", "type": "csv", "root": str(tmp_path / place)}, "default", "record 1")


def test_a_reader_that_the_user_has_named_in_this_process_may_be_named_by_a_record(tmp_path, monkeypatch):
    (tmp_path / "own_reader.py").write_text("from prior_bench.data.readers.csv.reader import read\n")
    monkeypatch.syspath_prepend(tmp_path)
    reference = {**table(tmp_path / "mine"), "type": "own_reader:read"}
    with pytest.raises(BenchError, match="not registered"):
        open_recorded(reference, "default", "record 1")
    DATASETS.get("own_reader:read")
    open_dataset(reference)
    assert open_recorded(reference, "default", "record 1").name == "all"


@pytest.mark.parametrize("place", ["elsewhere", "results/pretrain/a", "opened"])
def test_a_history_is_read_beside_weights_of_here_only(tmp_path, place):
    """A record says where its weights were; the file beside them is not everybody's."""
    folder = tmp_path / place
    folder.mkdir(parents=True)
    (folder / "history.json").write_text('[{"epoch": 1, "loss": 2.0}]')
    if place == "opened":
        remember(folder / "history.json")
    provenance = {"backbone": {"path": str(folder / "model.safetensors")}}
    record = RunRecord("k", "done", {}, provenance=provenance)
    found = pretraining_history(FinishedRun({}, "k", record=record))
    assert found == ([] if place == "elsewhere" else [{"epoch": 1, "loss": 2.0}])
