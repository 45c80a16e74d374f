"""Mutated image files: one message or a picture, never a traceback, a hang, or gigabytes."""

import pytest
from fuzz_scripts import outcome_of


@pytest.mark.parametrize(
    ("first", "count"), [(0, 100), pytest.param(100, 1000, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_mutated_files_are_read_or_refused(tmp_path, first, count):
    found = outcome_of("fuzz/mutated_images.py", tmp_path, first, count)
    assert min(found["survived"], found["refused"]) > count / 20
