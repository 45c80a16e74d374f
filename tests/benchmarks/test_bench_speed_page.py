"""The page of speed: its blocks run commands of ours, and what is measured stands in blocks alone."""

import re
from importlib.util import find_spec

import pytest

from benchmarks import speed_page
from benchmarks.speed_page import BLOCK, PAGE, blocks, checkouts, measured, replaced, shown

PAIR = """text
<!-- measured: python -m benchmarks.first --rows 5 -->
old
<!-- end -->
between
<!-- measured: python -m benchmarks.second -->
<!-- end -->
"""


def test_every_block_of_the_page_names_a_benchmark():
    found = blocks(PAGE.read_text())
    assert len(found) > 10 and len({block.command for block in found}) == len(found)
    for block in found:
        assert find_spec(block.command.split()[2]), block.command


def test_every_block_was_measured_and_says_where():
    unmeasured = [block.command for block in blocks(PAGE.read_text()) if "*Commit " not in block.content]
    assert not unmeasured


def test_no_time_stands_outside_of_the_blocks():
    text = re.sub(r"<!-- measured.*?<!-- end -->", "", PAGE.read_text(), flags=re.S)
    aims = re.sub(r"\*\*Aim.*?\*\*", "", text, flags=re.S)
    assert not re.findall(r"\d(?:\.\d+)? ?(?:ms|s|MiB|MB|GB|images/s)\b", aims)


def test_another_command_is_refused():
    for command in ("rm -r results", "python -m benchmarks.first; ls", "python -m os", "python -c pass"):
        with pytest.raises(ValueError, match="is not 'python -m benchmarks.NAME"):
            blocks(f"<!-- measured: {command} -->\n<!-- end -->\n")


def test_one_block_is_replaced_and_all_else_stays():
    changed = replaced(PAIR, "python -m benchmarks.first --rows 5", r"new \1" + "\n")
    assert changed == PAIR.replace("old", r"new \1")
    assert [block.content for block in blocks(changed)] == ["new \\1\n", ""]
    assert len(BLOCK.findall(PAIR)) == 2


def test_tables_are_markdown_and_other_output_is_fixed_text():
    assert shown("| a |\n|--:|\n| 1 |\n") == "| a |\n|--:|\n| 1 |"
    assert shown("title\n| a |\n") == "title\n| a |"
    assert shown("a   b\n1 | 2\n") == "```text\na   b\n1 | 2\n```"


def test_a_failed_command_keeps_the_page(monkeypatch, tmp_path):
    page = tmp_path / "docs" / "speed.md"
    page.parent.mkdir()
    page.write_text(PAIR)
    monkeypatch.setattr(speed_page, "PAGE", page)
    with pytest.raises(SystemExit, match="benchmarks.second ended with 1"):
        measured("python -m benchmarks.second")
    assert page.read_text() == PAIR


def test_a_block_is_written_with_its_stamp(monkeypatch, tmp_path):
    page = tmp_path / "docs" / "speed.md"
    page.parent.mkdir()
    page.write_text(PAIR)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (tmp_path / "benchmarks" / "first.py").write_text("import sys; print('| a |', sys.argv[1:])")
    monkeypatch.setattr(speed_page, "PAGE", page)
    speed_page.main(["--only", "first"])
    first, second = blocks(page.read_text())
    assert "| a | ['--rows', '5']" in first.content and second.content == ""
    assert re.search(r"\*Commit \S+.*, \d{4}-\d\d-\d\d, \d+ cores of .*torch .*, \d+ s\.\*", first.content)


def test_without_the_official_checkout_its_block_stays(monkeypatch, tmp_path, capsys):
    page = tmp_path / "docs" / "speed.md"
    page.parent.mkdir()
    text = "<!-- measured: python -m benchmarks.first --checkout a=official/a -->\nold\n<!-- end -->\n"
    page.write_text(text)
    monkeypatch.setattr(speed_page, "PAGE", page)
    speed_page.main([])
    assert page.read_text() == text and "there is no official/a" in capsys.readouterr().err
    assert checkouts("python -m benchmarks.first --checkout a=official/a --checkout b=c") == [
        "official/a",
        "c",
    ]
