"""Names that act on terminals, spreadsheets, Markdown, pages and LaTeX: they are shown, and do nothing."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(("first", "count"), [pytest.param(0, 38, marks=pytest.mark.slow)], ids=["many"])
def test_hostile_names_do_nothing(tmp_path, first, count):
    found = outcome_of("fuzz/injections.py", tmp_path, first, count, seconds=10)
    assert min(found["survived"], found["refused"]) > count / 10
