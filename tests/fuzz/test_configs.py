"""Odd configs and options: the command works or says one thing, never a traceback."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(("first", "count"), [pytest.param(0, 90, marks=pytest.mark.slow)], ids=["many"])
def test_odd_configs_and_options_give_one_message(tmp_path, first, count):
    found = outcome_of("fuzz/configs.py", tmp_path, first, count, seconds=10)
    assert min(found["survived"], found["refused"]) > count / 50
