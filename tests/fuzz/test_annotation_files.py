"""Mutated tables of data: each is read as it says, or refused in one message."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(
    ("first", "count"), [(0, 100), pytest.param(100, 900, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_mutated_tables_are_read_as_they_say_or_refused(tmp_path, first, count):
    found = outcome_of("fuzz/annotation_files.py", tmp_path, first, count)
    assert min(found["survived"], found["refused"]) > count / 10
