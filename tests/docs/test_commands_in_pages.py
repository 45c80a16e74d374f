"""Every command of prior-bench that a page shows is one that its parser takes."""

import re
import shlex
from pathlib import Path

import pytest

from prior_bench.cli import build_parser

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", re.M | re.S)
SHELL = ("", "bash", "console", "sh")
CONNECTED = re.compile(r"\s(?:&&|\|\||[|;>&])\s")
"""What a shell reads as the end of a command; not as the end of a placeholder, such as ``<name>``."""


def commands(text: str) -> list[str]:
    """Return the commands of the blocks of a page."""
    found = []
    for block in (block for kind, block in BLOCK.findall(text) if kind in SHELL):
        lines = (line.strip().removeprefix("$ ") for line in block.replace("\\\n", " ").splitlines())
        found += [CONNECTED.split(line)[0] for line in lines if line.startswith("prior-bench ")]
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page.read_text("utf-8"))], ids=str)
def test_each_command_of_a_page_is_parsed(page, capsys):
    parser, wrong = build_parser(), []
    for command in commands(page.read_text("utf-8")):
        try:
            parser.parse_args(shlex.split(command, comments=True)[1:])
        except SystemExit as stopped:
            if stopped.code:
                wrong.append(f"{command}\n{capsys.readouterr().err.splitlines()[-1]}")
    assert not wrong, "\n".join(wrong)


def test_commands_are_found():
    text = "```bash\nprior-bench run a \\\n  --jobs 2 && prior-bench table a\n```\n"
    text += "```python\nprior-bench = 1\n```\n```\n$ prior-bench list\n```\n"
    assert [" ".join(command.split()) for command in commands(text)] == [
        "prior-bench run a --jobs 2",
        "prior-bench list",
    ]
    assert sum(len(commands(page.read_text("utf-8"))) for page in PAGES) > 100
