"""Mutated checkpoints and model folders: one message or the same weights, and no code of theirs is run."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(
    ("first", "count"), [(0, 5), pytest.param(1000, 150, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_mutated_checkpoints_are_refused_or_the_same(tmp_path, first, count):
    found = outcome_of("fuzz/checkpoint_files.py", tmp_path, first, count)
    assert min(found["refused"], found["survived"]) > count / 40
