import pytest

from prior_bench.errors import BenchError
from prior_bench.public.rehearsals import cells_of, projected, rehearsed_suites
from prior_bench.suites.rehearse import rehearsal_of
from prior_bench.suites.suite import load_suite


@pytest.mark.parametrize(
    ("name", "cells"),
    # six rows; zero-shot and retrieval only for the four with a text encoder; one seed
    [("mgca_tables", 6 * 21), ("gloria_tasks", 6 * 9 + 4), ("benchx_retrieval", 4 * 2), ("lovt_rsna", 6 * 9)],
)
def test_all_cells_are_expected_whatever_part_was_planned(name, cells):
    assert cells_of(rehearsal_of(load_suite(name))) == cells


def test_without_a_rehearsal_the_command_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path))
    with pytest.raises(BenchError, match="was not rehearsed"):
        projected("mgca_linear", 1000)
    with pytest.raises(BenchError, match="no suite was rehearsed"):
        rehearsed_suites()
