"""Messages of files that cannot be written."""

import errno
import os

import pytest

from prior_bench.errors import StorageError
from prior_bench.io.atomic import whole_folder
from prior_bench.io.room import cannot_write, of_the_disk, writing_to

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_told_with_path_bytes_needed_and_free(tmp_path, monkeypatch):
    monkeypatch.setattr("prior_bench.io.room.free_bytes", lambda path: 7)
    message = str(cannot_write(tmp_path / "x" / "y", FULL, needed=12_345))
    assert message.startswith(f"{tmp_path}/x/y: cannot be written: No space left on device")
    assert "(needed: 12,345 bytes, free: 7 bytes)\n  fix: make room, or choose another folder" in message
    limited = str(cannot_write(tmp_path, OSError(errno.EFBIG, "File too large"), needed=3))
    assert "ulimit -f" in limited


def test_of_a_folder_at_least_what_was_written_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr("prior_bench.io.room.free_bytes", lambda path: 0)
    with pytest.raises(StorageError, match=r"needed: 1,001 bytes, free: 0 bytes"):
        with whole_folder(tmp_path / "run") as fresh:
            (fresh / "half").write_bytes(b"x" * 1000)
            raise FULL
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_found_below_other_errors():
    try:
        try:
            raise FULL
        except OSError as error:
            raise RuntimeError("the log cannot be written") from error
    except RuntimeError as error:
        assert of_the_disk(error) is FULL
    assert of_the_disk(FileNotFoundError(errno.ENOENT, "x")) is None


def test_other_errors_name_the_place_that_is_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"deep/er: cannot be written: Not a directory: .*file.*\n  fix"):
        with writing_to(tmp_path / "file/deep/er"):
            (tmp_path / "file/deep").mkdir(parents=True)
