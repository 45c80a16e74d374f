"""Which process gets which run, with threads in place of the processes."""

import threading
from dataclasses import dataclass, field
from multiprocessing import Pipe
from types import SimpleNamespace

import pytest

from prior_bench.engine.claimed_runs import ClaimedRuns
from prior_bench.engine.events import Event
from prior_bench.engine.handout import Handout, Job, why_ended
from prior_bench.engine.job_process import Ready
from prior_bench.engine.run_queue import RunQueue
from prior_bench.engine.slots import Slot
from prior_bench.errors import BenchError, ErrorList, StorageError


@dataclass(frozen=True)
class Run:
    """Stands in for a planned run."""

    key: str
    gpus: int = 1

    @property
    def label(self) -> str:
        return f"run {self.key}"


@dataclass
class Team:
    """Workers that run until they are told to stop.

    Attributes:
        did: what each slot has done, as keys and the GPUs it was given.
        behaviour: by key, what a worker does instead: called with its pipe and the order; it returns whether
            the worker lives on.
    """

    count: int
    behaviour: dict = field(default_factory=dict)
    did: dict = field(default_factory=dict)

    def serve(self, groups, wanted=None, claimed=None):
        jobs, threads, told = {}, [], []
        for number in range(self.count):
            ours, theirs = Pipe()
            stub = SimpleNamespace(join=lambda timeout: None, exitcode=-9, pid=100 + number)
            jobs[ours] = Job(stub, Slot(number, str(number)))
            threads.append(threading.Thread(target=self.work, args=(theirs, number)))
            threads[-1].start()
        queue = RunQueue([[Run(key) for key in keys] for keys in groups], wanted)
        seen = {key: None for keys in groups for key in keys}
        claimed = ClaimedRuns(SimpleNamespace(), told.append) if claimed is None else claimed

        def tell(event):
            told.append(event)
            if event.kind == "claimed":
                claimed.add(Run(event.key), event.text)

        try:
            Handout(jobs, queue, seen, tell, claimed).serve()
        finally:
            for thread in threads:
                thread.join(10)
        assert not any(thread.is_alive() for thread in threads)
        return told

    def work(self, end, number):
        done = self.did.setdefault(number, [])
        end.send(Ready(False))
        while order := end.recv():
            done.append((order.run.key, order.gpus))
            if special := self.behaviour.get(order.run.key):
                if not special(end, order):
                    break
            else:
                end.send(Event("loaded", order.run.key))
                end.send(Ready(True))
        end.close()

    @property
    def keys(self):
        return sorted(key for done in self.did.values() for key, _ in done)


def only(key, count):
    """Several slots for the run of a key until its weights are made."""
    made = []

    def wanted(run):
        return count if run.key == key and not made else 1

    return wanted, made


def test_a_pre_training_takes_its_slots_and_the_others_evaluate_meanwhile():
    wanted, made = only("big1", 2)
    others, team = threading.Event(), Team(3)

    def train(end, order):
        assert others.wait(20), "the third slot does not wait for the training"
        made.append(1)
        end.send(Event("loaded", "big1"))
        assert helped.wait(20), "once its weights are made, the others help"
        end.send(Ready(True))
        return True

    def last(end, order):
        others.set()
        end.send(Event("loaded", "c1"))
        end.send(Ready(True))
        return True

    def help_(end, order):
        helped.set()
        end.send(Ready(True))
        return True

    helped = threading.Event()
    team.behaviour = {"big1": train, "c1": last, "big2": help_}
    team.serve([["b1", "b2"], ["c1"], ["big1", "big2"]], wanted)
    assert team.keys == ["b1", "b2", "big1", "big2", "c1"]
    given = {key: gpus for done in team.did.values() for key, gpus in done}
    assert len(set(given["big1"])) == 2 and not any(gpus for key, gpus in given.items() if key != "big1")
    (leader,) = (number for number, done in team.did.items() if done and done[0][0] == "big1")
    assert given["big1"][0] == str(leader), "its own GPU is the first"
    third = ({"0", "1", "2"} - set(given["big1"])).pop()
    assert [key for key, _ in team.did[int(third)]][:3] == ["b1", "b2", "c1"]


def test_a_process_that_dies_is_named_with_its_run_and_gives_its_slots_back():
    wanted, _ = only("big1", 2)
    team = Team(2, {"big1": lambda end, order: False})
    with pytest.raises(BenchError) as caught:
        team.serve([["big1", "big2"], ["b1"], ["c1"]], wanted)
    text = str(caught.value)
    assert "was killed by SIGKILL in run big1; finished runs are recorded" in text
    assert "--gpus: process 10" in text and "CUDA_VISIBLE_DEVICES=" in text
    assert team.keys == ["b1", "big1", "c1"], "the others go on; what it died of is not repeated"


def test_a_pre_training_for_which_too_few_processes_are_left_is_named():
    wanted, _ = only("big1", 2)
    dead = threading.Event()

    def second(end, order):
        end.send(Ready(True))
        return dead.wait(10)

    team = Team(2, {"a1": lambda end, order: dead.set(), "b1": second})

    def late(run):
        return wanted(run) if dead.is_set() else 1

    with pytest.raises(ErrorList, match="run big1: its pre-training takes 2 GPUs"):
        team.serve([["a1"], ["b1", "b2"], ["big1"]], late)
    assert "big1" not in team.keys and {"a1", "b1", "b2"} == set(team.keys)


def test_a_run_of_another_process_is_handed_out_again_when_it_is_free(monkeypatch):
    monkeypatch.setattr("prior_bench.engine.claimed_runs.PAUSES", (0.01, 0.02))
    looks = []

    class Claims:
        def owner(self, key):
            looks.append(key)
            return None if len(looks) > 3 else "process 1"

    lines = []
    claimed = ClaimedRuns(SimpleNamespace(claims=Claims()), lines.append)
    team = Team(2)

    def not_at_first(end, order):
        if len(looks) < 4:
            end.send(Event("claimed", order.run.key, text="process 1"))
            end.send(Ready(False))
        else:
            end.send(Ready(True))
        return True

    team.behaviour = {"a1": not_at_first}
    team.serve([["a1", "a2"], ["b1"]], claimed=claimed)
    assert team.keys == ["a1", "a1", "a2", "b1"] and looks == ["a1"] * 4
    assert lines[0] == "run a1: claimed by process 1, looked at again at the end"
    assert lines[1:] in ([], ["waiting for process 1: run a1"])


def test_a_full_disk_stops_all_also_where_others_are_waited_for():
    def full(end, order):
        end.send(Event("claimed", "a2", text="process 1"))
        end.send(StorageError("is full"))
        return False

    team = Team(2, {"a1": full})
    with pytest.raises(StorageError, match="is full"):
        team.serve([["a1", "a2", "a3"]])
    assert team.keys == ["a1"]


@pytest.mark.parametrize(
    "code, said",
    [
        (1, "process 7 (slot 2, CUDA_VISIBLE_DEVICES=GPU-ab) failed in run a, its traceback is above"),
        (-15, "process 7 (slot 2, CUDA_VISIBLE_DEVICES=GPU-ab) was killed by SIGTERM in run a"),
        (-99, "was killed by signal 99 in run a"),
        (0, "process 7 (slot 2, CUDA_VISIBLE_DEVICES=GPU-ab) was killed in run a"),
    ],
)
def test_how_a_process_ended(code, said):
    process = SimpleNamespace(join=lambda timeout: None, exitcode=code, pid=7)
    assert said in str(why_ended(Job(process, Slot(2, "GPU-ab"), Run("a"))))
    assert str(why_ended(Job(process, Slot(2)))).startswith("--jobs: process 7 ")
