"""Files and folders appear complete or not at all, whatever happens to their writer."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from prior_bench.errors import BenchError
from prior_bench.io import atomic
from prior_bench.io.atomic import (
    whole_file,
    whole_folder,
    write_bytes,
    write_json,
    write_new_texts,
    write_text,
)
from prior_bench.io.leftovers import remove_leftovers

KILLED = """
import os, signal, sys
from prior_bench.io import atomic
real = os.replace
def die_after(count):
    def replace(*names):
        global left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
        real(*names)
    global left
    left = count
    os.replace = replace
die_after(int(sys.argv[2]))
{write}
"""
"""A program that is killed where it is about to rename for the n-th time."""


def killed(tmp_path, write: str, renames: int) -> None:
    command = [sys.executable, "-c", KILLED.format(write=write), str(tmp_path), str(renames)]
    assert subprocess.run(command).returncode == -9


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folders(tmp_path):
    path = write_text(tmp_path / "deep" / "place.txt", "où")
    assert path.read_bytes() == "où".encode()
    write_json(path, {"a": [1]})
    assert path.read_text() == '{\n "a": [\n  1\n ]\n}'
    assert names(path.parent) == ["place.txt"]


def test_a_writer_that_is_killed_before_the_rename_leaves_the_old_content(tmp_path):
    path = write_text(tmp_path / "place.txt", "old")
    killed(tmp_path, "atomic.write_text(sys.argv[1] + '/place.txt', 'new' * 100_000)", 0)
    assert path.read_text() == "old"
    assert len(names(tmp_path)) == 2, "the unfinished file is there for this test to mean anything"
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["place.txt"]


FOLDER = """
from pathlib import Path
with atomic.whole_folder(Path(sys.argv[1]) / "run") as fresh:
    (fresh / "record").write_text("new")
"""


@pytest.mark.parametrize("renames", [0, 1, 2])
def test_a_folder_is_never_lost_to_a_killed_writer(tmp_path, renames):
    """It is killed at the first try to rename, with the old folder moved away or still to be moved away."""
    with whole_folder(tmp_path / "run") as fresh:
        (fresh / "record").write_text("old")
    killed(tmp_path, FOLDER, renames)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["run"]
    assert (tmp_path / "run" / "record").read_text() == "old"


def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path):
    path = write_text(tmp_path / "place.txt", "old")
    with pytest.raises(ZeroDivisionError):
        with whole_file(path) as fresh:
            fresh.write_text("half")
            raise ZeroDivisionError
    with whole_folder(tmp_path / "run") as fresh:
        (fresh / "record").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        with whole_folder(tmp_path / "run") as fresh:
            (fresh / "record").write_text("half")
            raise KeyboardInterrupt
    assert names(tmp_path) == ["place.txt", "run"]
    assert path.read_text() == (tmp_path / "run" / "record").read_text() == "old"


def test_a_folder_is_replaced_or_kept(tmp_path):
    for content, first_wins, expected in (("1", False, "1"), ("2", False, "2"), ("3", True, "2")):
        with whole_folder(tmp_path / "run", first_wins=first_wins) as fresh:
            (fresh / "record").write_text(content)
        assert (tmp_path / "run" / "record").read_text() == expected
    assert names(tmp_path) == ["run"]


def test_two_writers_do_not_disturb_each_other(tmp_path):
    """Threads share host and process: only the random part of the name keeps their files apart."""
    path, both, read = tmp_path / "place.txt", threading.Barrier(2, timeout=10), []

    def write(letter):
        for _ in range(50):
            with whole_file(path) as fresh:
                both.wait()
                fresh.write_text(letter * 50_000)
                both.wait()
            read.append(path.read_text())

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(read) == 100 and {(len(text), len(set(text))) for text in read} == {(50_000, 1)}
    assert names(tmp_path) == ["place.txt"]


def test_names_hold_host_and_process(tmp_path, monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "node7.cluster")
    with whole_file(tmp_path / "place.txt") as one, whole_file(tmp_path / "place.txt") as other:
        assert one.name.startswith(f".place.txt.node7-{os.getpid()}-") and one != other


WRITERS = {
    "text": lambda folder: write_text(folder / "place", "x"),
    "bytes": lambda folder: write_bytes(folder / "place", b"x", durable=True),
    "json": lambda folder: write_json(folder / "place", {}),
    "new folder": lambda folder: write_text(folder / "deep" / "place", "x"),
    "folder": lambda folder: whole_folder(folder / "place").__enter__(),
    "new texts": lambda folder: write_new_texts({folder / "place": "x"}),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_folder_that_may_not_be_written_to_is_one_clear_error(tmp_path, kind, monkeypatch):
    """Root may write anywhere, so a file in the way of a folder stands for missing permissions, too."""
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchError, match="cannot be written: .*(ot a directory|xists)"):
        WRITERS[kind](tmp_path / "file")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.geteuid() == 0:
        return
    with pytest.raises(BenchError, match="locked/.*: cannot be written: .*ermission denied"):
        WRITERS[kind](locked)
    assert not list(locked.iterdir())


def test_a_full_disk_names_the_remedy(tmp_path):
    path = write_text(tmp_path / "place.txt", "old")
    with pytest.raises(
        BenchError,
        match=r"place.txt: cannot be written: No space.*\(needed: 1 bytes, free: [\d,]+ b",
    ):
        with whole_file(path, atomic.CACHE_FIX):
            with open("/dev/full", "wb", buffering=0) as full:
                full.write(b"x")
    assert path.read_text() == "old" and names(tmp_path) == ["place.txt"]


def test_a_folder_in_the_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(BenchError, match="is a folder"):
        write_text(tmp_path, "x")


def test_errors_that_writers_raise_for_a_full_disk_count_as_such(tmp_path):
    with pytest.raises(BenchError, match="cannot be written: full"):
        with whole_file(tmp_path / "place", errors=(ValueError,)):
            raise ValueError("full")


def test_permissions_are_what_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        with whole_file(tmp_path / "place") as fresh:
            fresh.unlink()
            os.close(os.open(fresh, os.O_CREAT, 0o600))
    finally:
        os.umask(before)
    assert (tmp_path / "place").stat().st_mode & 0o777 == 0o640


def test_durable_content_is_on_the_disk_before_the_rename(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (steps.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *names: (steps.append("rename"), replace(*names)))
    write_bytes(tmp_path / "place", b"x", durable=True)
    with whole_folder(tmp_path / "run", durable=True) as fresh:
        write_text(fresh / "record", "x")
    assert steps == ["fsync", "rename", "rename", "fsync", "rename"]


def test_new_texts_are_all_written_or_none(tmp_path):
    there = tmp_path / "b"
    there.write_text("mine")
    with pytest.raises(BenchError, match="cannot be written"):
        write_new_texts({tmp_path / "a": "1", there: "2"})
    assert names(tmp_path) == ["b"] and there.read_text() == "mine"
    write_new_texts({tmp_path / "a": "1", tmp_path / "c": "3"})
    assert names(tmp_path) == ["a", "b", "c"] and (tmp_path / "c").read_text() == "3"


def test_leftovers_go_by_name_and_age(tmp_path):
    for name in (".a.host-1-0a.part", ".a[1].host-1-0a.part", ".a.host-1-0b.part"):
        (tmp_path / name).write_text("")
    (tmp_path / "a.part").write_text("not ours")
    os.utime(tmp_path / ".a.host-1-0a.part", (0, 0))
    remove_leftovers(tmp_path, "a", older_than=3600)
    assert names(tmp_path) == [".a.host-1-0b.part", ".a[1].host-1-0a.part", "a.part"]
    remove_leftovers(tmp_path, "a[1]")
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["a.part"]
