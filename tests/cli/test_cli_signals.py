"""A signal ends a command with one line and the status that shells expect."""

import os
import signal
import sys

import pytest

from prior_bench import cli
from prior_bench.cli import signals
from prior_bench.errors import Requeued


@pytest.fixture(autouse=True)
def same_hook_afterwards(monkeypatch):
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)


@pytest.mark.parametrize(
    ("number", "status", "word"),
    [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")],
)
def test_a_signal_is_one_line(monkeypatch, capsys, number, status, word):
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
    monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: os.kill(os.getpid(), number))
    assert cli.main(["doctor"]) == status
    signal.signal(signal.SIGINT, before)
    err = capsys.readouterr().err
    assert err.startswith(f"{word}; finished work is kept") and err.count("\n") == 1
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("ended_by_others", [False, True])
def test_a_training_that_shall_be_started_again_has_a_status_that_others_do_not_change(
    monkeypatch, capsys, ended_by_others
):
    def train(args):
        try:
            raise Requeued
        finally:
            if ended_by_others:  # srun -K1 ends all tasks when the first one has ended
                os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr("prior_bench.cli.doctor.run", train)
    try:
        assert cli.main(["doctor"]) == 75
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    err = capsys.readouterr().err
    assert err == "stopped; finished work is kept; run the same command again to continue\n"


def test_a_closed_output_is_no_fault(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: print("x") or 0)
    assert cli.main(["doctor"]) == 0


def test_a_full_output_is_one_message(monkeypatch, capsys):
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: print("x"))
        assert cli.main(["doctor"]) == 1
    assert capsys.readouterr().err == (
        "error: the output cannot be written (No space left on device)\n  fix: make room where it goes\n"
    )


def test_what_a_signal_has_left_half_made_is_logged_and_not_printed(capsys, caplog):
    class HalfMade:
        def __del__(self):
            self._key  # noqa: B018

    signals.log_remains()
    with caplog.at_level("DEBUG", "prior_bench"):
        HalfMade()
    assert capsys.readouterr().err == "" and "_key" in caplog.text


def test_an_interrupted_command_logs_its_remains(monkeypatch, capsys):
    def interrupted(argv):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_main", interrupted)
    before = sys.unraisablehook
    assert cli.main([]) == 130 and sys.unraisablehook is not before
    assert capsys.readouterr().err.startswith("interrupted; finished work is kept")
