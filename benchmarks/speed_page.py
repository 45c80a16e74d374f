"""Measure docs/speed.md anew: ``python -m benchmarks.speed_page [--only TEXT …]``.

The page holds one block for each benchmark:

    <!-- measured: python -m benchmarks.metrics -->
    what the command printed, and when, where and at which commit
    <!-- end -->

Each command runs in turn, and its block is replaced and written at once, so that a stopped run keeps what it
has. Everything outside of the blocks is text, which has no measured number. Let nothing else run beside.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from prior_bench.io.atomic import write_text
from prior_bench.store.provenance import git_state, hardware, versions

PAGE = Path(__file__).parents[1] / "docs" / "speed.md"
BLOCK = re.compile(
    r"(?<=<!-- measured: )(?P<command>[^\n]*?)(?P<open> -->\n)(?P<content>.*?)(?=<!-- end -->)", re.S
)
FORM = re.compile(r"python -m benchmarks\.[a-z_]+( [\w./=-]+)*")
"""What a block may run: a module of this folder with plain arguments."""


class Block(NamedTuple):
    """A block of the page: its command, and what it printed."""

    command: str
    content: str


def blocks(text: str) -> list[Block]:
    """Return the blocks of a page.

    Raises:
        ValueError: a block's command is none of ours.
    """
    found = [Block(match["command"], match["content"]) for match in BLOCK.finditer(text)]
    for block in found:
        if not FORM.fullmatch(block.command):
            raise ValueError(f"'{block.command}' is not 'python -m benchmarks.NAME …'")
    return found


def checkouts(command: str) -> list[str]:
    """Return the folders of official repositories that a command reads, relative to the project's."""
    return re.findall(r"--checkout \w+=(\S+)", command)


def replaced(text: str, command: str, content: str) -> str:
    """Return the page with another content of one block."""
    return BLOCK.sub(
        lambda match: (
            "".join((match["command"], match["open"], content)) if match["command"] == command else match[0]
        ),
        text,
    )


def measured(command: str) -> str:
    """Run a command and return the content of its block.

    Raises:
        SystemExit: the command failed.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:]],
        cwd=PAGE.parents[1],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "110"},
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}; the page keeps its earlier block")
    return f"\n{shown(done.stdout)}\n\n{stamp(time.perf_counter() - begun)}\n\n"


def shown(output: str) -> str:
    """Return a command's output as Markdown: tables as they are, all else as fixed text."""
    text = output.strip("\n")
    return text if "\n|" in f"\n{text}" else f"```text\n{text}\n```"


def stamp(seconds: float) -> str:
    """Return one line that says where and when a block was measured."""
    state, machine = git_state(), hardware()
    revision = state.get("revision", "")[:9] or "unknown"
    changed = " with changes that are not committed" if state.get("dirty") else ""
    return (
        f"*Commit {revision}{changed}, {datetime.now(UTC):%Y-%m-%d}, {machine['cores']} cores of "
        f"{machine['cpu']}, torch {versions()['torch']}, {seconds:.0f} s.*"
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--only", nargs="+", metavar="TEXT", help="blocks whose command contains one of these"
    )
    parser.add_argument("--list", action="store_true", help="print the commands and stop")
    args = parser.parse_args(arguments)
    commands = [block.command for block in blocks(PAGE.read_text())]
    chosen = [one for one in commands if not args.only or any(text in one for text in args.only)]
    if not chosen:
        parser.error(f"no block has {' or '.join(args.only)}; blocks: {', '.join(commands)}")
    if args.list:
        print("\n".join(chosen))
        return
    for number, command in enumerate(chosen, 1):
        print(f"[{number}/{len(chosen)}] {command}", file=sys.stderr, flush=True)
        if absent := [folder for folder in checkouts(command) if not (PAGE.parents[1] / folder).is_dir()]:
            print(f"there is no {' or '.join(absent)}; the block stays as it is", file=sys.stderr)
            continue
        content = measured(command)
        write_text(PAGE, replaced(PAGE.read_text(), command, content))


if __name__ == "__main__":
    main()
