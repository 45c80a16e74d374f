"""Names that act on terminals, spreadsheets, Markdown, pages and LaTeX: they are shown, and do nothing."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(
    ("first", "count"), [(0, 8), pytest.param(8, 30, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_hostile_names_do_nothing(tmp_path, first, count):
    found = outcome_of("fuzz/injections.py", tmp_path, first, count, seconds=10)
    assert min(found["survived"], found["refused"]) > count / 10
