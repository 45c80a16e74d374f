"""The loop of the campaign counts what takes too long or too much as wrong."""

import os
import subprocess
import sys
import time

import pytest
import seeds
from seeds import Stopwatch, Tried, outcome


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(seeds, "LONGEST", 0.2)


def test_computing_too_long_is_wrong(short):
    def attempt(seed):
        clock = Stopwatch()
        while seed == 1 and clock.computed() < 0.3:
            pass
        return Tried(True)

    found = outcome("things", attempt, 0, 2)
    assert [text[:12] for text in found["wrong"]] == ["seed 1: took"]
    assert found["refused"] == 1 and found["slowest"] > 0.2


@pytest.mark.skipif(not seeds.QUEUES.is_file(), reason="the system does not count queues for a core")
def test_waiting_too_long_is_wrong(short):
    found = outcome("things", lambda seed: time.sleep(0.5) or Tried(True), 0, 1)
    assert found["wrong"] and found["slowest"] < 0.2


def test_waiting_for_another_process_is_no_hang(monkeypatch):
    monkeypatch.setattr(seeds, "LONGEST", 0.8)
    code = "import time; sum(range(2 * 10**6)); time.sleep(1)"  # computes for several ticks of the clock
    command = [sys.executable, "-Sc", code]
    assert outcome("things", lambda seed: Tried(not subprocess.check_call(command)), 0, 1)["wrong"] == []


def test_the_slowest_command_counts_where_a_seed_tells_it(short):
    found = outcome("things", lambda seed: Tried(True, seconds=0.1 + seed), 0, 2)
    assert found["wrong"] == ["seed 1: took 1.1 s"] and found["slowest"] == 1.1


def test_too_much_memory_is_wrong():
    code = """if True:
        import seeds
        seeds.MOST = 10**8
        print(seeds.outcome("things", lambda seed: seeds.Tried(True), 0, 1)["wrong"])
        large = seeds.outcome("things", lambda seed: bytearray(3 * 10**8) and seeds.Tried(True), 4, 2)
        print(*large["wrong"])
    """
    # in a process of its own, because a peak of earlier tests would hide this one
    command = [sys.executable, "-c", code]
    own = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=own).stdout
    none, wrong = found.splitlines()[-2:]
    assert none == "[]" and wrong.startswith("seeds 4 to 5: 0.")
