"""Which worker runs which cell: groups first, then help with the groups of others."""

from hypothesis import given
from hypothesis import strategies as st

from prior_bench.engine.run_queue import RunQueue


def test_a_worker_stays_with_its_group():
    queue = RunQueue([["a1", "a2"], ["b1", "b2"]])
    assert [queue.next("one"), queue.next("two")] == ["a1", "b1"]
    queue.made("two")
    assert [queue.next("two"), queue.next("one")] == ["b2", "a2"]
    assert queue.empty


def test_others_help_only_where_the_weights_are_made():
    queue = RunQueue([["a1", "a2", "a3"]])
    assert queue.next("one") == "a1"
    assert queue.next("two") is None and not queue.empty
    queue.made("one")
    assert queue.next("two") == "a2"
    assert queue.next("one") == "a3" and queue.empty
    assert queue.next("one") is None and queue.next("two") is None


def test_help_goes_to_the_longest_group():
    queue = RunQueue([["a1", "a2"], ["b1", "b2", "b3"], ["c1"]])
    for worker in ("one", "two", "three"):
        queue.next(worker)
        queue.made(worker)
    assert queue.next("three") == "b2"


def test_runs_of_a_worker_that_died_are_not_handed_out():
    queue = RunQueue([["a1", "a2"], ["b1"]])
    queue.next("one")
    queue.made("one")
    queue.died("one")
    assert queue.next("two") == "b1"
    assert queue.next("two") is None and queue.empty


def test_the_last_weights_are_begun_before_the_runs_of_those_that_are_made():
    queue = RunQueue([["a1", "a2", "a3"], ["b1", "b2"], ["c1", "c2"]], workers=2)
    assert [queue.next("one"), queue.next("two")] == ["a1", "b1"]
    queue.made("one")
    assert queue.next("one") == "c1", "and not a2, which would leave nothing to do beside c1"
    queue.made("two")
    assert [queue.next("two") for _ in range(3)] == ["b2", "a2", "a3"]
    assert queue.next("two") is None and not queue.empty
    queue.made("one")
    assert queue.next("two") == "c2" and queue.empty


def test_while_as_many_groups_wait_as_there_are_workers_each_worker_ends_its_own():
    queue = RunQueue([["a1", "a2"], ["b1", "b2"], ["c1"], ["d1"]], workers=2)
    assert [queue.next("one"), queue.next("two")] == ["a1", "b1"]
    queue.made("one")
    assert queue.next("one") == "a2"


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=6),
    turns=st.lists(st.integers(0, 3), max_size=80),
    workers=st.integers(1, 4),
)
def test_every_run_is_handed_out_once(sizes, turns, workers):
    groups = [[f"{group}.{run}" for run in range(size)] for group, size in enumerate(sizes)]
    queue, handed, busy = RunQueue(groups, workers=workers), [], set()
    for worker in (*turns, *[*range(4)] * (sum(sizes) + 1)):
        if worker in busy:
            queue.made(worker)
            busy.remove(worker)
        if (run := queue.next(worker)) is not None:
            handed.append(run)
            busy.add(worker)
    assert sorted(handed) == sorted(run for group in groups for run in group)
    assert queue.empty
