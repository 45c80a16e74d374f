"""One process at a time writes to a folder, also where no file can be locked; a killed one blocks nobody."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from prior_bench.errors import BenchError
from prior_bench.io.locks import CLAIM, one_at_a_time, sole_writer
from prior_bench.io.processes import host

HOLDER = """
import sys, time
from pathlib import Path
from prior_bench.io.locks import sole_writer
with sole_writer(Path(sys.argv[1]), "busy", "wait"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "folder")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_writer_is_refused_and_a_killed_one_holds_nobody_up(tmp_path, holder):
    folder, start = tmp_path / "folder", time.monotonic()
    with pytest.raises(BenchError, match=rf"folder: busy: process {holder.pid} on \S+\n  fix: wait"):
        with sole_writer(folder, "busy", "wait"):
            pass
    assert time.monotonic() - start < 30, "it is refused at once, and not when the other ends"
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / CLAIM).exists()
    with sole_writer(folder, "busy", "wait"):
        pass


def test_one_process_waits_for_another_and_says_so(tmp_path, holder, capsys):
    folder = tmp_path / "folder"
    threading.Timer(0.5, holder.kill).start()
    start = time.monotonic()
    with one_at_a_time(folder, "waiting for the other"):
        assert time.monotonic() - start > 0.4
    assert capsys.readouterr().err == (
        f"waiting for the other (process {holder.pid} on {host()}): {folder}\n"
    )


def test_a_free_folder_is_held_without_a_word_and_let_go_after_an_error(tmp_path, capsys):
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            with one_at_a_time(tmp_path / "folder", "waiting"):
                raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError):
            with sole_writer(tmp_path / "folder", "busy", "wait"):
                raise ZeroDivisionError
    assert capsys.readouterr().err == "" and not any((tmp_path / "folder").iterdir())


@pytest.mark.parametrize("hold", [sole_writer, one_at_a_time])
def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path, hold):
    (tmp_path / "file").write_text("")
    words = ("busy", "wait") if hold is sole_writer else ("waiting",)
    with pytest.raises(BenchError, match="file/folder: cannot be written"):
        with hold(tmp_path / "file" / "folder", *words):
            pass


def test_an_os_error_of_the_work_itself_stays_what_it_is(tmp_path):
    with pytest.raises(FileNotFoundError):
        with sole_writer(tmp_path / "folder", "busy", "wait"):
            open(tmp_path / "gone")


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_folders_are_shared_where_files_cannot_be_locked(tmp_path, holder, monkeypatch, number):
    def flock(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(fcntl, "lockf", flock)
    with pytest.raises(BenchError, match="busy"), sole_writer(tmp_path / "folder", "busy", "wait"):
        pass
    with one_at_a_time(tmp_path / "free", "waiting"):
        pass
