import subprocess
import sys

import pytest

from prior_bench.engine import peak_memory

WORK = """
from prior_bench.engine import peak_memory

peak_memory.restart()
before = peak_memory.peak()["memory"]
held = bytearray(300 * 2**20)
held[::4096] = b"x" * len(held[::4096])  # touched, so that it is really there
during = peak_memory.peak()["memory"]
del held
kept = peak_memory.peak()["memory"]
peak_memory.restart()
print(before, during, kept, peak_memory.peak()["memory"])
"""


@pytest.mark.skipif(not peak_memory.RESET.exists(), reason="only Linux counts the peak of a piece of work")
def test_the_peak_is_that_of_the_work_since_the_restart():
    # in a process of its own: in a large one the system may take back pages in the meantime
    done = subprocess.run([sys.executable, "-c", WORK], capture_output=True, text=True, check=True)
    before, during, kept, after = map(float, done.stdout.split())
    assert 0.28 < during - before < 0.35
    assert kept == during, "memory that was released still counts"
    assert after < during - 0.25


def test_the_peak_is_read_from_the_files_of_the_system(tmp_path, monkeypatch):
    for name in ("STATUS", "RESET"):
        monkeypatch.setattr(peak_memory, name, tmp_path / name)
    (tmp_path / "RESET").touch()
    (tmp_path / "STATUS").write_text("VmPeak:\t 9999999 kB\nVmHWM:\t  524288 kB\n")
    peak_memory.restart()
    assert (tmp_path / "RESET").read_text() == "5" and peak_memory.peak("cpu") == {"memory": 0.5}


def test_where_the_system_does_not_tell_nothing_is_said(tmp_path, monkeypatch):
    for name in ("STATUS", "RESET"):
        monkeypatch.setattr(peak_memory, name, tmp_path / "missing" / "file")
    peak_memory.restart()
    assert peak_memory.peak() == {}
