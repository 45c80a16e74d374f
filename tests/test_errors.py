"""The message a user reads: what, where, fix."""

from prior_bench.cli import main
from prior_bench.errors import BenchError, ErrorList, unknown_name


def test_message_names_place_and_remedy():
    assert str(BenchError("no header", where="a.csv", fix="add one")) == "a.csv: no header\n  fix: add one"


def test_list_shows_every_problem():
    text = str(ErrorList("2 problems", [BenchError("one"), BenchError("two", where="x")], where="suite.py"))
    assert text.splitlines() == ["suite.py: 2 problems", "- one", "- x: two"]


def test_suggestions_are_by_nearness():
    assert "did you mean retrieval?" in str(unknown_name("task", "retreival", ["retrieval", "detection"]))
    assert "did you mean" not in str(unknown_name("task", "xyz", ["retrieval"]))


def test_command_line_prints_one_message_and_fails(capsys):
    assert main(["data", "describe", "no_such_set"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: unknown data set 'no_such_set'")
    assert "Traceback" not in captured.err
