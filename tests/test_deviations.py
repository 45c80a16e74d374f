"""docs/deviations.md says of each switch what the code says of it."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from baselines.gloria.variants import GloriaVariant as GLoRIA
from baselines.mgca.variants import MgcaVariant as MGCA
from prior_bench.prior.variants import PriorVariant as PRIOR
from prior_bench.registry import METHODS
from prior_bench.variants import is_extension, resolve

DOCUMENT = Path(__file__).parents[1] / "docs" / "deviations.md"
KINDS = {"PRIOR": PRIOR, "GLoRIA": GLoRIA, "MGCA": MGCA}


OURS = "### Extensions that are ours"


def rows(section, ours=False):
    """Cells of the table of switches of a section, or of the table of its extensions."""
    text = re.split(r"^## ", DOCUMENT.read_text("utf-8"), flags=re.M)
    (body,) = (part for part in text if part.startswith(f"{section}\n"))
    body = "".join(body.split(OURS)[1:] if ours else body.split(OURS)[:1])
    lines = [line for line in body.splitlines() if re.match(r"\| `\w+` \|", line)]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", KINDS)
def test_each_switch_has_a_row_with_the_codes_own_words(name):
    found = {cells[0].strip("`"): cells[1] for cells in rows(name)}
    assert found == {one.name: one.metadata["doc"] for one in fields(KINDS[name]) if not is_extension(one)}
    assert len(found) == len(rows(name))  # none twice


@pytest.mark.parametrize("name", KINDS)
def test_each_extension_has_a_row_of_its_own_and_a_reason(name):
    found = {cells[0].strip("`"): cells[1] for cells in rows(name, ours=True)}
    assert found == {one.name: one.metadata["doc"] for one in fields(KINDS[name]) if is_extension(one)}
    assert all(len(cells) == 3 and len(cells[2]) > 20 for cells in rows(name, ours=True))


@pytest.mark.parametrize("name", KINDS)
def test_each_row_says_where_in_the_released_code(name):
    for switch, _, where in rows(name):
        assert re.search(r"\w+\.py(:\d+| \()", where), switch


def test_no_method_with_switches_is_left_out():
    import inspect

    with_switches = {
        name
        for name in METHODS.names()
        if ":" not in name and "variant" in inspect.signature(METHODS.get(name)).parameters
    }
    assert with_switches == {name.lower() for name in KINDS}


def test_the_examples_in_it_are_valid():
    found = re.findall(r'type="(\w+)", variant=(dict\(.*\))\)', DOCUMENT.read_text("utf-8"))
    assert len(found) == 2
    for name, variant in found:
        switches = eval(variant)  # our own document
        kind = PRIOR if name == "prior" else MGCA
        assert resolve(switches, kind) != kind()
