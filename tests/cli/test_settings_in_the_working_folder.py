"""Settings of libraries in the working folder: nothing there makes a command wait."""

import os

import pytest

from prior_bench.cli import main
from prior_bench.cli.working_folder import check_working_folder
from prior_bench.errors import BenchError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_pipe_is_named_and_not_waited_for(here, capsys):
    os.mkfifo(here / "matplotlibrc")
    assert main(["list", "tasks"]) == 1
    assert "matplotlibrc: is no file of settings of matplotlib" in capsys.readouterr().err


def test_so_is_a_file_that_is_mostly_holes(here):
    with open(here / "matplotlibrc", "wb") as file:
        file.truncate(6 << 30)
    with pytest.raises(BenchError, match="matplotlibrc"):
        check_working_folder()


@pytest.mark.parametrize("make", ["mkdir", "touch"])
def test_folders_and_settings_of_the_user_are_no_fault(here, make):
    check_working_folder()
    getattr(here / "matplotlibrc", make)()
    check_working_folder()
