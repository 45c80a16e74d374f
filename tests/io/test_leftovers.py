"""Temporary files: those of processes that have ended are removed, those of living ones are left alone."""

import os
import subprocess
import sys
import time

from prior_bench.io import leftovers
from prior_bench.io.atomic import write_text
from prior_bench.io.leftovers import REPLACED, UNFINISHED, remove_leftovers, sibling

ENDED = """
import sys
from pathlib import Path
from prior_bench.io.leftovers import sibling
sibling(Path(sys.argv[1]), sys.argv[2]).mkdir()
"""


def of_an_ended_process(path, suffix=UNFINISHED):
    subprocess.run([sys.executable, "-c", ENDED, str(path), suffix], check=True)
    (made,) = path.parent.glob(f".{path.name}.*{suffix}")
    return made


def test_what_an_ended_process_left_goes_when_another_first_writes_there(tmp_path):
    dead, living = of_an_ended_process(tmp_path / "copy"), sibling(tmp_path / "copy", UNFINISHED)
    living.mkdir()
    (dead / "83 MB").write_text("x")
    write_text(tmp_path / "other.txt", "x")
    assert living.is_dir() and not dead.exists()
    remove_leftovers(tmp_path)
    assert living.is_dir()


def test_a_replaced_folder_of_an_ended_process_comes_back(tmp_path):
    of_an_ended_process(tmp_path / "run", REPLACED)
    write_text(tmp_path / "other.txt", "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.txt", "run"]


def test_those_of_other_machines_wait_for_a_day_also_if_their_clock_is_ahead(tmp_path, monkeypatch):
    here = sibling(tmp_path / "a", UNFINISHED)
    monkeypatch.setattr(leftovers, "machine", lambda: "0" * 8)
    young, old, ahead = (sibling(tmp_path / name, UNFINISHED) for name in "bcd")
    monkeypatch.undo()
    for path, age in ((young, 0), (old, 2 * leftovers.DAY), (ahead, -2 * leftovers.DAY)):
        path.write_text("")
        os.utime(path, (time.time() - age, time.time() - age))
    here.write_text("")
    remove_leftovers(tmp_path, older_than=leftovers.DAY)
    assert set(tmp_path.iterdir()) == {here, young}


def test_files_that_only_look_like_ours_are_kept(tmp_path):
    (tmp_path / ".download.part").write_text("")
    write_text(tmp_path / "other.txt", "x")
    assert (tmp_path / ".download.part").exists()


def test_forged_names_do_no_harm(tmp_path):
    elsewhere, store = tmp_path / "elsewhere", tmp_path / "store"
    for folder in (elsewhere, store, store / "..x.old", store / "....x.old", deep := store / ".deep.x.part"):
        folder.mkdir()
    (elsewhere / "file").write_text("x")
    for name in (".work.x.old", ".other.x.part", "...x.old", ".run.x.old"):
        (store / name).symlink_to(elsewhere if name != ".run.x.old" else store / name)
    os.mkfifo(store / ".pipe.x.old")
    where = os.open(deep, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=where)
        inner = os.open("d", os.O_RDONLY, dir_fd=where)
        os.close(where)
        where = inner
    os.close(where)
    remove_leftovers(store)
    assert [path.name for path in store.iterdir()] in ([], [deep.name])  # how deep is too deep depends
    assert (elsewhere / "file").exists()
    subprocess.run(["rm", "-rf", str(deep)], check=True)
