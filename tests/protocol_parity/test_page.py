"""The lists of ingredients in docs/protocols and under tables are those of the statements."""

import json
from pathlib import Path

import pytest

from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.protocol_parity import page, statements
from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.statements import stated_protocols
from prior_bench.report.tables.table import _parity_notes

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture
def stated(tmp_path, monkeypatch):
    """Statements of two protocols of one paper; one has a note twice."""
    folder = tmp_path / "configs/protocols/mgca"
    folder.mkdir(parents=True)
    parts = dict.fromkeys(ingredients_of("classification"), {"status": "verified", "commit": "680fe4a6ee"})
    noted = {"status": "deviates", "note": "ours rounds"}
    content = {"linear_rsna": parts, "linear_covidx": {**parts, "head": noted, "loss": noted}}
    (folder / "ingredients.json").write_text(json.dumps(content))
    monkeypatch.setattr(
        statements, "paths", type("Paths", (), {"shipped": staticmethod(lambda name: tmp_path / name)})
    )


def test_the_section_counts_and_lists_each_ingredient(stated):
    text = page.section("mgca")
    total = 2 * len(ingredients_of("classification"))
    assert f"Verified: {total - 2} of {total}" in text
    (loss,) = [line for line in text.splitlines() if line.startswith("| loss")]
    cells = [cell.strip() for cell in loss.strip("|").split("|")]
    assert cells[2:] == ["verified 680fe4a", "deviates [1]"]
    assert text.count("ours rounds") == 1 and "1. ours rounds" in text


def test_the_notes_of_a_table_count_verified_ingredients(stated):
    parts = len(ingredients_of("classification"))
    (note,) = _parity_notes(["mgca/linear_covidx", "clean/linear_probe", "mgca/linear_rsna (changed: head)"])
    assert (
        note == f"Ingredients verified against the paper's code: mgca/linear_covidx {parts - 2} of {parts}."
    )
    assert _parity_notes(["clean/linear_probe"]) == []


def test_an_unknown_paper_is_refused(stated):
    with pytest.raises(BenchError, match="mcga"):
        page.section("mcga")


@pytest.mark.parametrize("paper", sorted({name.partition("/")[0] for name in stated_protocols()}))
def test_the_page_of_a_paper_has_the_list(paper, capsys):
    assert main(["parity", "--markdown", paper]) == 0
    printed = capsys.readouterr().out.strip()
    page = (
        "zero_shot.md" if paper == "clean" else f"protocols/{paper}.md"
    )  # two that score as released models
    assert printed in (DOCS / page).read_text("utf-8"), (
        f"docs/{page}: replace the section by `prior-bench parity --markdown {paper}`"
    )


def test_without_a_folder_the_command_says_what_to_name(capsys):
    assert main(["parity"]) == 1
    assert "name one" in capsys.readouterr().err
