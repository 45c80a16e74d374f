"""docs/api.md names every function and attribute that there is, and its examples hold."""

import re
from pathlib import Path

import pytest

import prior_bench as pb
from prior_bench.api.encoders import DECLARE

TEXT = (Path(__file__).parent.parent.parent / "docs/api.md").read_text()


def test_every_public_function_is_on_the_page_and_every_name_on_it_exists():
    named = set(re.findall(r"\bpb\.(\w+)", TEXT))
    assert {name for name in pb.__all__ if name[0].islower()} <= named
    assert named <= set(pb.__all__)


def test_the_attributes_of_results_exist():
    section = TEXT.split("## Results")[1].split("## ")[0]
    named = re.findall(r"`(\w+)", "\n".join(re.findall(r"^\| (`[^|]*) \|", section, re.M)))
    assert len(named) >= 9
    assert [name for name in named if not hasattr(pb.Result, name) and name != "record"] == []


def test_every_part_of_the_contract_is_in_the_table():
    section = TEXT.split("## Your own module")[1].split("## ")[0]
    assert all(f"`{name}" in section for name in DECLARE)


def test_the_example_of_wrap_gives_what_its_comment_says():
    example = next(code for code in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "wrap(" in code)
    names = {"pb": pb}
    exec(example, names)
    said = re.search(r"# (\(512.*\))$", example, re.M)[1]
    assert str((names["encoder"].dim, names["encoder"].stage_strides)) == said


@pytest.mark.parametrize("link", re.findall(r"`((?:docs|prior_bench)/[^`]*)`", TEXT))
def test_files_named_exist(link):
    assert (Path(__file__).parent.parent.parent / link).exists()
