"""How processes wait for each other; HashStore stands in for the store of a launcher."""

import threading
from datetime import timedelta

import pytest
import torch.distributed as dist
from ranks import ended, start_ranks

from prior_bench.errors import BenchError
from prior_bench.io.locks import sole_writer
from prior_bench.pretraining import meeting, processes
from prior_bench.pretraining.launch import Launch
from prior_bench.pretraining.meeting import alive, gone, meet
from prior_bench.pretraining.processes import Processes, is_of_another, joined, reachable


@pytest.fixture
def pair(monkeypatch):
    monkeypatch.setattr(meeting, "TOLD_EVERY", 0.2)
    monkeypatch.setattr(meeting, "POLL", 0.01)
    store = dist.HashStore()
    return [Processes(rank, 2, store) for rank in range(2)]


def test_one_process_waits_for_nobody_and_tells_itself():
    alone = Processes()
    alone.meet("nothing")
    alone.after_first("nothing")
    assert alone.gather(3) == [3] and alone.together("nothing", lambda: 4) == [4]
    with pytest.raises(BenchError, match="own"):
        alone.together("nothing", lambda: (_ for _ in ()).throw(BenchError("own")))


def test_processes_meet_however_late_one_is_and_say_whom_they_wait_for(pair, capsys):
    first, second = pair
    late = threading.Timer(0.6, second.meet, ["the folder"])
    late.start()
    first.meet("the folder")
    late.join()
    lines = capsys.readouterr().err.splitlines()
    assert 1 <= len(lines) <= 3 and set(lines) == {"process 0 waits for process 1: the folder"}


def test_each_meeting_is_one_of_its_own(pair):
    first, second = pair
    met = []

    def twice(one):
        one.meet("one")
        one.meet("two")
        met.append(one.rank)

    other = threading.Thread(target=twice, args=[second])
    other.start()
    first.meet("one")
    other.join(0.3)
    assert met == []  # it waits at the second
    first.meet("two")
    other.join(5)
    assert met == [1]


def test_who_does_not_come_is_named(pair):
    with pytest.raises(BenchError, match=r"process 1 of 2 has not come after \d+ s: the data"):
        pair[0].meet("the data", timedelta(seconds=0.1))


def test_the_first_one_does_not_wait_for_ever_for_one_that_was_killed(pair, monkeypatch):
    monkeypatch.setattr(meeting, "ANSWER", timedelta(seconds=0.1))
    with pytest.raises(BenchError, match="process 1 of 2 has not come after"):
        pair[0].meet("the folder")


def test_one_that_was_killed_while_it_read_its_data_is_noticed(pair, monkeypatch):
    monkeypatch.setattr(meeting, "BEAT", 0.02)
    monkeypatch.setattr(meeting, "SILENT", 0.3)
    first, second = pair
    hour = timedelta(hours=1)
    with alive(second.store, 1):
        late = threading.Timer(0.8, second.meet, ["the data", hour])  # it reads for long, and lives
        late.start()
        first.meet("the data", hour)
        late.join()
    unborn = threading.Timer(0.8, Processes(1, 2, store := dist.HashStore()).meet, ["the start"])
    unborn.start()
    Processes(0, 2, store).meet("the start", hour)  # it is waited for, however long it takes to start
    unborn.join()
    with pytest.raises(BenchError, match="process 1 of 2 has ended or does not answer: the data"):
        meet(first.store, "another", 0, 2, "the data", hour)


def test_the_first_one_waits_for_nobody_at_the_end(pair, monkeypatch):
    monkeypatch.setattr(meeting, "LEAVE", 0.1)
    first, second = pair
    waiting = threading.Thread(target=second.after_first, args=["the weights"])
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    first.after_first("the weights")
    waiting.join(5)
    assert not waiting.is_alive()
    Processes(0, 2, dist.HashStore()).after_first("the weights")  # the other one is gone


@pytest.mark.parametrize(
    ("said", "of_another"),
    [
        ("[/a/gloo/pair.cc:561] Connection closed by peer [1.2.3.4]:5. This is typically caused by", True),
        ("Timed out waiting 60000ms for recv operation to complete", True),
        ("Broken pipe", True),
        ("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)", False),
    ],
)
def test_a_lost_connection_is_told_from_other_errors(said, of_another):
    assert is_of_another(RuntimeError(said)) == of_another
    assert "/" not in gone(RuntimeError(said)).what and "typically" not in gone(RuntimeError(said)).what


def test_alone_there_is_no_group(monkeypatch):
    monkeypatch.setattr(processes, "launched", lambda slurm: None)
    with joined("cpu") as alone:
        assert alone.count == 1 and not dist.is_initialized()


def test_a_first_process_that_never_listens_is_named(monkeypatch):
    launch = Launch("slurm", 1, 2, 1, "127.0.0.1", 9)
    monkeypatch.setattr(processes, "launched", lambda slurm: launch)
    monkeypatch.setattr(processes, "START", timedelta(seconds=1))
    with pytest.raises(BenchError, match="127.0.0.1:9: the first process cannot be reached"), joined("cpu"):
        pass


def test_a_node_that_slurm_alone_knows(tmp_path, monkeypatch):
    assert reachable("localhost") == "localhost"
    scontrol = tmp_path / "scontrol"
    scontrol.write_text('#!/bin/sh\necho "NodeName=$3 Arch=x86_64"\necho "   NodeAddr=10.0.0.7 Port=1"\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert reachable("no-such-host.invalid") == "10.0.0.7"
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert reachable("no-such-host.invalid") == "no-such-host.invalid"


@pytest.mark.slow
def test_all_wait_while_another_training_holds_the_folder(values, tmp_path):
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    (tmp_path / "run").mkdir()
    command = ["pretrain", str(path), "--device", "cpu", "--work-dir", "run"]
    with sole_writer(tmp_path / "run", "busy", "wait"):
        started = start_ranks([command] * 2, tmp_path)
        assert "waiting for another process" in started[0].stderr.readline()
        assert started[1].poll() is None
    first, second = ended(started)
    assert (first.code, second.code) == (0, 0), first.err + second.err
