"""A claim belongs to one process, and whose process has ended is recognised, wherever it was."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict

import pytest

from prior_bench.errors import BenchError
from prior_bench.io import claims, heartbeat, processes, slurm
from prior_bench.io.claims import LIMIT, MISSED, Claim, Owner, living, read, sweep, take

SQUEUE = """#!/bin/sh
echo "$@" >> {asked}
{answer}
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cell"


@pytest.fixture
def sleeper():
    """Another process of this machine."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def left(path, age=0.0, **changes) -> Owner:
    """A claim as another process has left it, ``age`` seconds after its last heartbeat."""
    owner = Owner(**{**asdict(claims._this_process("0123abcd")), **changes})
    path.write_text(json.dumps(asdict(owner)))
    os.utime(path, (time.time() - age, time.time() - age))
    return owner


def elsewhere(**changes):
    return {"host": "elsewhere", "boot": "another", "machine": "00000000", "pid": 7, **changes}


def is_taken_over(path) -> bool:
    claim = take(path)
    if isinstance(claim, Owner):
        return False
    assert claim.held()
    claim.release()
    assert not any(path.parent.iterdir()), "nothing is left"
    return True


def test_a_claim_is_one_s_until_it_is_released(path):
    with take(path) as claim:
        owner = take(path)
        assert isinstance(owner, Owner) and claim.held()
        assert (owner.pid, owner.host, owner.boot) == (os.getpid(), processes.host(), processes.boot())
        assert owner.started == processes.started(os.getpid()) and str(owner).startswith("process ")
        assert heartbeat.beats(claim.token)
    assert not path.exists() and not claim.held() and not heartbeat.beats(claim.token)
    assert is_taken_over(path)


def test_a_claim_is_released_after_an_error(path):
    with pytest.raises(ZeroDivisionError), take(path):
        raise ZeroDivisionError
    assert not any(path.parent.iterdir())


def test_a_process_of_this_machine_is_looked_up_however_old_its_heartbeat(path, sleeper):
    since = processes.started(sleeper.pid)
    owner = left(path, age=10 * LIMIT, pid=sleeper.pid, started=since)
    assert take(path) == owner == living(path)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # ended, and its parent has not looked
    assert living(path) is None and is_taken_over(path)


def test_a_number_that_another_process_has_got_is_no_sign_of_life(path, sleeper):
    left(path, pid=sleeper.pid, started=processes.started(sleeper.pid) - 1)
    assert is_taken_over(path)


def test_a_number_that_no_process_has(path, sleeper):
    sleeper.kill()
    sleeper.wait()
    left(path, pid=sleeper.pid, started=None)
    assert is_taken_over(path)


def test_a_claim_of_this_process_that_could_not_be_removed_holds_nobody_up(path):
    left(path)
    assert is_taken_over(path)


@pytest.mark.parametrize(
    "age, stale", [(0, False), (LIMIT - 20, False), (LIMIT + 1, True), (-2 * LIMIT, True)]
)
def test_another_host_s_process_lives_as_long_as_its_heart_beats(path, age, stale):
    left(path, age, **elsewhere())
    assert is_taken_over(path) is stale


@pytest.mark.parametrize("age, boot, stale", [(0, "old", False), (MISSED + 1, "old", True)])
def test_a_host_that_was_started_again_has_none_of_its_processes(path, age, boot, stale):
    left(path, age, **elsewhere(host=processes.host(), boot=boot))
    assert is_taken_over(path) is stale


def test_another_container_of_this_host_is_like_another_host(path):
    left(path, MISSED + 1, **elsewhere(host=processes.host(), boot=processes.boot()))
    assert not is_taken_over(path)


@pytest.mark.parametrize(
    "answer, ended",
    [
        ("", True),
        ("echo RUNNING", False),
        ("echo COMPLETING", False),
        ("echo PENDING", True),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", True),
        ("echo 'Unable to contact slurm controller' >&2; exit 1", False),
    ],
)
def test_a_slurm_job_that_has_ended_leaves_stale_claims(path, tmp_path_factory, monkeypatch, answer, ended):
    place = tmp_path_factory.mktemp("bin")
    squeue, asked = place / "squeue", place / "asked"
    squeue.write_text(SQUEUE.format(asked=asked, answer=answer))
    squeue.chmod(0o755)
    monkeypatch.setenv("PATH", str(place), prepend=os.pathsep)
    monkeypatch.setattr(slurm, "_answers", {})
    left(path, age=5, **elsewhere(job="12"))
    assert not is_taken_over(path) and not asked.exists(), "its heart beats: nobody is asked"
    left(path, MISSED + 1, **elsewhere(job="12"))
    assert is_taken_over(path) is ended
    assert asked.read_text() == "--noheader --jobs 12 --format %T\n"


def test_without_slurm_the_heartbeat_decides(path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(slurm, "_answers", {})
    left(path, MISSED + 1, **elsewhere(job="12"))
    assert not is_taken_over(path)


@pytest.mark.parametrize("restarts, stale", [(0, True), (1, False)])
def test_a_job_that_was_started_again_takes_over_what_it_had(path, monkeypatch, restarts, stale):
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setenv("SLURM_RESTART_COUNT", "1")
    left(path, **elsewhere(job="12", restarts=restarts))
    assert is_taken_over(path) is stale


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"pid": 0}', '{"pid": true, "token": "a"}', "[" * 4000])
def test_a_claim_that_cannot_be_read_is_an_unknown_process_s(path, content):
    path.write_text(content)
    assert take(path) == Owner() and str(Owner()) == "an unknown process"
    os.utime(path, (time.time() - 2 * LIMIT,) * 2)
    assert is_taken_over(path)


def test_a_link_is_not_followed(path, tmp_path_factory):
    secret = tmp_path_factory.mktemp("secret") / "file"
    for content in (None, "secret"):
        if content:
            secret.write_text(content)
        path.unlink(missing_ok=True)
        path.symlink_to(secret)
        with pytest.raises(BenchError, match="is a symbolic link\n  fix: delete it"):
            take(path)
    assert secret.read_text() == "secret"


def test_without_hard_links(path, monkeypatch):
    def link(*arguments):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    with take(path):
        assert take(path).pid == os.getpid()
    assert is_taken_over(path)


def test_a_heart_beats_while_there_are_claims(path, monkeypatch):
    monkeypatch.setattr(heartbeat, "BEAT", 0.02)
    monkeypatch.setattr(
        heartbeat, "_heart", heartbeat._Heart()
    )  # none that waits for a claim of another test
    with take(path), take(path.with_name("other")):
        os.utime(path, (0, 0))
        until = time.monotonic() + 10
        while path.stat().st_mtime == 0:
            assert time.monotonic() < until
            time.sleep(0.01)
    heartbeat._heart.thread.join(timeout=10)
    assert not heartbeat._heart.thread.is_alive()


def test_what_another_host_has_taken_over_is_left_to_it(path):
    claim = take(path)
    left(path, **elsewhere(token="other"))
    os.utime(path, (0, 0))
    assert not claim.held()
    claim.release()
    assert read(path).token == "other" and path.stat().st_mtime == 0


def test_a_take_over_that_was_interrupted_is_finished_by_the_next(path):
    left(path, LIMIT + 1, **elsewhere())
    left(path.with_name(".cell.0123abcd"), LIMIT + 1, **elsewhere(token="b1"))
    assert is_taken_over(path)


def test_while_another_process_takes_over_the_claim_is_not_free(path, sleeper):
    left(path, LIMIT + 1, **elsewhere())
    here = {"pid": sleeper.pid, "started": processes.started(sleeper.pid)}
    left(path.with_name(".cell.0123abcd"), token="b1", **here)
    assert isinstance(take(path), Owner)


def test_what_was_taken_over_while_one_looked_is_not_removed(path, monkeypatch):
    judge, others = claims.is_stale, []

    def slow(place, owner):
        monkeypatch.setattr(claims, "is_stale", judge)
        stale = judge(place, owner)
        others.append(take(place))
        return stale

    left(path, LIMIT + 1, **elsewhere())
    monkeypatch.setattr(claims, "is_stale", slow)
    assert take(path).token == others[0].token and others[0].held()


def test_a_sweep_removes_the_claims_of_ended_processes_alone(tmp_path, sleeper):
    left(tmp_path / "living", pid=sleeper.pid, started=processes.started(sleeper.pid))
    left(tmp_path / "far", **elsewhere())
    left(tmp_path / "dead", pid=sleeper.pid, started=1)
    left(tmp_path / ".dead.0123abcd", LIMIT + 1, **elsewhere(token="b1"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("dead")
    with take(tmp_path / "mine"):
        sweep(tmp_path)
        assert {p.name for p in tmp_path.iterdir()} == {"living", "far", "folder", "link", "mine"}


def test_of_many_processes_that_find_a_stale_claim_one_takes_it_over(tmp_path):
    """Each round, the winner ends without releasing its claim, as if it was killed."""
    path, inside, rounds = tmp_path / "claims/cell", tmp_path / "inside", 25
    path.parent.mkdir()
    left(path, LIMIT + 1, **elsewhere())
    children = []
    for _ in range(8):
        if (child := os.fork()) == 0:
            _contend(path, inside, tmp_path / "rounds", rounds)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * 8
    assert (tmp_path / "rounds").read_text().count("\n") == rounds


def _contend(path, inside, log, rounds):
    """Take the claim until it has been had often enough; let each claim be found stale by the others."""
    code = 1
    try:
        while not log.exists() or log.read_text().count("\n") < rounds:
            claim = take(path)
            if not isinstance(claim, Claim):
                continue
            if not log.exists() or log.read_text().count("\n") < rounds:
                os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if another one is inside
                with open(log, "a") as file:
                    file.write(f"{os.getpid()}\n")
                inside.unlink()
            left(path, LIMIT + 1, **elsewhere(token=claim.token))  # an ended process's, from now on
            heartbeat.stop(claim.token)
        code = 0
    finally:
        os._exit(code)
