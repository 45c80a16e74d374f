"""The figure of a column: its numbers are the table's, and no name is part of an expression."""

import json
import math
import re

import pytest
from test_overview import table

from prior_bench.report.html.figures.vega import drawing_script
from prior_bench.report.html.page import TEMPLATES
from prior_bench.report.html.sections.explorer import GREY, explorers

NAMES = {"A": "#123456", "B": "#654321"}
THREE = {"A": [[60.0, 62.0], [70.0, 71.0]], "B": [[50.0, 51.0], [80.0, 82.0]]}


def specification(filled, colours=NAMES):
    (made,) = explorers([filled], colours)
    return json.loads(made.specification), made


def test_every_number_of_the_table_is_in_the_figure():
    found, made = specification(table(THREE, trivial={"chance": [50.0, 50.0]}))
    values = {(v["column"], v["row"]): v for v in found["data"]["values"]}
    assert len(values) == 6
    assert values[1, "B"]["mean"] == 81 and values[1, "B"]["seeds"] == [80, 82]
    spread = math.sqrt(2)
    assert (values[1, "B"]["low"], values[1, "B"]["high"]) == pytest.approx(
        (81 - spread, 81 + spread), abs=1e-4
    )
    assert values[1, "B"]["shown"] == "81.0 ± 1.4" and values[1, "B"]["by_seed"] == "80.0, 82.0"
    assert values[0, "chance"]["low"] == values[0, "chance"]["high"] == 50, "one seed has no bar"
    assert "mean over the seeds" in made.note and "one standard deviation" in made.note
    scale = found["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True)) == {**NAMES, "chance": GREY}


def test_an_interval_of_the_table_is_the_bar():
    filled = table({"A": [60.0], "B": [50.0]}, marks=[[""], [""]])
    filled.rows[0].cells[0].interval = (58.0, 63.0)
    found, _ = specification(filled)
    assert [(v["low"], v["high"]) for v in found["data"]["values"]] == [(58, 63), (50, 50)]


def test_each_row_and_column_can_be_chosen_by_its_name():
    found, _ = specification(table(THREE, higher=False))
    choices = [param["bind"] for param in found["params"]]
    assert choices[0]["options"] == [0, 1] and choices[0]["labels"] == ["C0: ↓", "C1: ↓"]
    assert [(choice["input"], choice["name"]) for choice in choices[1:]] == [
        ("checkbox", "A "),
        ("checkbox", "B "),
    ]
    assert found["transform"][1]["filter"] == "[row_0, row_1][datum.order]"


def test_a_column_without_numbers_cannot_be_chosen_and_one_row_makes_no_figure():
    filled = table(THREE)
    for row in filled.rows:
        row.cells[0].values = {}
    found, _ = specification(filled)
    assert found["params"][0]["bind"]["options"] == [1] and found["params"][0]["value"] == 1
    filled.rows[0].cells[1].values = {}
    assert explorers([filled], NAMES) == []


def test_long_names_that_are_cut_alike_stay_two_rows():
    found, _ = specification(table({"x" * 70 + "A": [60.0], "x" * 70 + "B": [50.0]}, marks=[[""], [""]]))
    first, second = (value["row"] for value in found["data"]["values"])
    assert second == f"{first} (2)" and len(first) == 60


def test_names_are_data_and_end_no_script():
    hostile = "</script><b onload='x'>\u202e' + alert(1) + '"
    found, made = specification(table({hostile: [[60.0, 61.0]], "B": [[50.0, 52.0]]}, marks=[[""], [""]]))
    assert "<" not in made.specification and "\u202e" not in json.dumps(found, ensure_ascii=False)
    (params, transform) = found["params"], found["transform"]
    assert not [word for word in ("alert", "script") if word in json.dumps(transform)]
    assert all(re.fullmatch(r"column|row_\d+", param["name"]) for param in params)
    assert not any("expr" in key for key in keys_of(found))


def keys_of(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


def test_the_specification_is_one_that_vega_draws():
    import vl_convert

    found, _ = specification(table(THREE))
    svg = vl_convert.vegalite_to_svg({**found, "width": 300})
    assert svg.count('aria-roledescription="point"') == 2, "the rows of the first column"
    assert "Value: 61.0 ± 1.4" in svg and "81.0" not in svg


def test_the_script_carries_its_libraries_and_their_licence():
    script = drawing_script(TEMPLATES)
    assert "BSD 3-Clause" in script[:400] and "University of Washington" in script[:400]
    assert not [name for name in ("script", "body") if f"</{name}" in script] and 5e5 < len(script) < 1.5e6
    assert drawing_script(TEMPLATES) is script, "made once"
