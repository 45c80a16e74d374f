"""The log of a command: its lines, its size, its processes, and that it never stops a command."""

import json
import logging
import multiprocessing
import warnings

import pytest

from prior_bench import logs
from prior_bench.cli import main

LOG = logging.getLogger("prior_bench.test")


@pytest.fixture(autouse=True)
def own_root(monkeypatch, tmp_path):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_tells_level_time_host_and_run():
    with logs.logged("run") as path, logs.of_run("abc"):
        LOG.warning("%d of %s", 3, "five\nlines")
    LOG.warning("afterwards")
    [line] = lines(path)
    assert line["level"] == "WARNING" and line["run"] == "abc" and line["host"] and line["process"]
    assert line["event"] == "%d of %s" and line["message"] == "3 of five\nlines"
    assert line["time"].endswith("+00:00") and path.parent == logs.folder()
    assert logs.latest() == path and logs.current() == (None, False)


def test_tracebacks_are_in_it_and_of_other_packages_only_warnings():
    with logs.logged("run") as path:
        try:
            raise KeyError("x")
        except KeyError:
            LOG.exception("it failed")
        logging.getLogger("other").info("nothing for us")
        logging.getLogger("other").warning("of interest")
        LOG.debug("detail")
        warnings.warn("a warning", stacklevel=1)
    found = lines(path)
    assert "KeyError: 'x'" in found[0]["traceback"]
    assert [line["message"] for line in found[:3]] == ["it failed", "of interest", "detail"]
    assert "a warning" in found[3]["message"]


def test_it_stays_small(monkeypatch):
    monkeypatch.setattr(logs, "LARGEST", 2000)
    monkeypatch.setattr(logs, "LONGEST", 100)
    with logs.logged("run") as path:
        for _ in range(100):
            LOG.info("x" * 1000)
        LOG.error("the end")
    assert path.stat().st_size < 4000 and lines(path)[-1]["message"] == "the end"
    assert "900 characters left out" in lines(path)[0]["message"]


def test_the_oldest_files_are_removed(monkeypatch):
    monkeypatch.setattr(logs, "KEPT", 3)
    for number in range(5):
        with logs.logged(f"run{number}"):
            LOG.info("x")
    assert sorted(path.name.split("-")[1] for path in logs.folder().iterdir()) == ["run2", "run3", "run4"]


def test_a_log_that_cannot_be_written_is_said_once_and_stops_nothing(tmp_path, capsys):
    (tmp_path / "results").write_text("a file")
    with logs.logged("run"):
        LOG.info("x")
        LOG.info("y")
    assert capsys.readouterr().err.count("no log is written") == 1


def work(place, number):
    with logs.joined(*place), logs.of_run(f"run {number}"):
        for count in range(200):
            LOG.info("%d %s", count, "x" * 500)


@pytest.mark.slow
def test_several_processes_write_whole_lines_to_one_file():
    context = multiprocessing.get_context("spawn")
    with logs.logged("run") as path:
        workers = [context.Process(target=work, args=(logs.current(), n)) for n in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    found = lines(path)
    assert len(found) == 600 and {line["run"] for line in found} == {"run 0", "run 1", "run 2"}
    assert len({line["process"] for line in found}) == 3


def test_verbose_prints_the_lines_before_and_after_the_verb(monkeypatch, capsys):
    monkeypatch.setattr("prior_bench.cli.run.run", lambda args: LOG.info("working") or 0)
    assert main(["run", "demo"]) == 0
    assert "working" not in capsys.readouterr().err
    for given in (["--verbose", "run", "demo"], ["run", "demo", "--verbose"]):
        assert main(given) == 0
        assert "INFO working" in capsys.readouterr().err
    messages = [line["message"] for line in lines(logs.latest())]
    assert messages[1:] == ["working", "ended with status 0"]


def test_a_dry_run_and_verbs_that_only_read_write_none(monkeypatch):
    monkeypatch.setattr("prior_bench.cli.run.run", lambda args: 0)
    monkeypatch.setattr("prior_bench.cli.doctor.run", lambda args: 0)
    assert main(["run", "demo", "--dry-run"]) == main(["doctor"]) == 0
    assert logs.latest() is None


def test_a_mistyped_command_makes_no_results_root_and_is_logged_where_there_is_one(tmp_path):
    assert main(["run", "no_such_suite"]) == 1
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "results").mkdir()
    assert main(["run", "no_such_suite"]) == 1
    assert "refused: unknown config" in lines(logs.latest())[1]["message"]


def test_lines_that_waited_come_first(monkeypatch, tmp_path):
    monkeypatch.setattr("prior_bench.cli.run.run", lambda args: LOG.info("working") or 0)
    assert main(["run", "demo"]) == 0
    assert [line["message"].split()[0] for line in lines(logs.latest())] == [
        "prior-bench",
        "working",
        "ended",
    ]


def test_a_folder_that_is_a_link_is_neither_written_to_nor_tidied(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(logs, "KEPT", 1)
    (tmp_path / "results").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/theirs.jsonl").write_text("{}")
    logs.folder().symlink_to(tmp_path / "elsewhere")
    with logs.logged("run"):
        LOG.error("not there")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["theirs.jsonl"]
    assert "no log is written (its folder is a symbolic link" in capsys.readouterr().err


def test_a_results_root_that_may_not_be_looked_into_stops_nothing(monkeypatch, capsys):
    def denied(*args, **options):
        raise PermissionError(13, "Permission denied")

    with logs.logged("run"):
        pass
    monkeypatch.setattr("os.lstat", denied)
    monkeypatch.setattr("pathlib.Path.lstat", denied)
    with logs.logged("run"):
        LOG.warning("computed all the same")
