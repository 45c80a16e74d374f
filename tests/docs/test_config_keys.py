"""docs/reference/config_keys.md is what ``prior-bench schema`` prints; every file kind has a schema."""

import json
from pathlib import Path

import pytest

from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.schema import reference

PAGE = Path(__file__).parent.parent.parent / "docs/reference/config_keys.md"


def test_the_page_is_what_the_command_prints(capsys):
    assert main(["schema", "--markdown"]) == 0
    fix = "run: prior-bench schema --markdown > docs/reference/config_keys.md"
    assert capsys.readouterr().out == PAGE.read_text("utf-8"), fix


def test_every_key_has_a_meaning():
    rows = [line.split(" | ") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    assert len(rows) > 150
    assert [row[0] for row in rows if row[-1].strip(" |") == ""] == []


@pytest.mark.parametrize("name", [*reference.FILES, *(f"protocol/{task}" for task in TASKS.names())])
def test_json_schema_of_one_kind_of_file(name, capsys):
    assert main(["schema", "--json", name]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == reference.DIALECT
    for one in schema.get("anyOf", [schema]):
        assert one["additionalProperties"] is False and one["properties"]


def test_json_schema_of_all_kinds_by_name(capsys):
    assert main(["schema", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == set(reference.kinds())


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(BenchError, match="unknown schema 'sute'.*\n.*suite"):
        reference.json_schema("sute")
    assert main(["schema", "--json", "protocol/detektion"]) == 1
    assert "protocol/detection" in capsys.readouterr().err
