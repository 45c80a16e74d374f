"""Damaged records, plans, predictions and archives: one message or a result, and nothing runs or is lost."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(
    ("first", "count"), [(0, 1), pytest.param(1000, 10, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_damaged_stores_are_refused_or_shown(tmp_path, first, count):
    outcome_of("fuzz/record_files.py", tmp_path, first, count, seconds=15)
