"""What provenance needs of a source file, its imports and a digest of its code, remembered between processes.

To read them from the text takes longer than most commands. They are kept in the user's own folder
(:func:`prior_bench.paths.state_root`), under the file's place, time and size.
"""

from __future__ import annotations

import ast
import atexit
import hashlib
import io
import json
import tokenize
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_text
from prior_bench.paths import state_root

FILE = "source_facts.json"
EDITION = 1
"""Raised whenever other facts are kept of the same file."""


class Import(NamedTuple):
    """One import statement.

    Attributes:
        level: number of leading dots of ``from … import``.
        module: the module that is named; empty for ``from . import``.
        names: what is imported from it; none for ``import module``.
    """

    level: int
    module: str
    names: tuple[str, ...]


class SourceFacts(NamedTuple):
    """What is known of one source file.

    Attributes:
        imports: all its import statements, those inside functions included.
        digest: sha256 of its code without comments, docstrings and blank lines; equal on every Python.
    """

    imports: tuple[Import, ...]
    digest: str


def source_facts(path: Path) -> SourceFacts:
    """The facts of a source file as it is now."""
    status = path.stat()
    name, state = str(path), (status.st_mtime_ns, status.st_size)
    found = _KNOWN.get(name)
    if found is None or found[0] != state:
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        digest = hashlib.sha256(_essence(text, tree).encode()).hexdigest()
        found = _KNOWN.put(name, state, SourceFacts(_imports(tree), digest))
    return found[1]


_Entry = tuple[tuple[int, int], SourceFacts]
"""Time and size of a file, and its facts."""


class _Known:
    """The facts of this process, begun with those that an earlier one left."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] | None = None
        self._waiting = False

    def get(self, name: str) -> _Entry | None:
        """What is known of a file, if anything is."""
        if self._entries is None:
            self._entries = _read(_place())
        return self._entries.get(name)

    def put(self, name: str, state: tuple[int, int], facts: SourceFacts) -> _Entry:
        """Take new facts; they are written once, when the process ends."""
        assert self._entries is not None
        self._entries[name] = (state, facts)
        if not self._waiting:
            self._waiting = True
            atexit.register(self.write, _place())
        return self._entries[name]

    def write(self, place: Path | None) -> None:
        """Write all facts of files that are still there; that it fails has no consequence."""
        if place is None or not self._entries:
            return
        # another process may have written since this one began
        together = {**_read(place), **self._entries}
        kept = {name: entry for name, entry in together.items() if Path(name).is_file()}
        text = json.dumps({"edition": EDITION, "files": kept}, separators=(",", ":"))
        with suppress(OSError, BenchError):
            place.parent.mkdir(parents=True, exist_ok=True)
            write_text(place, text)


_KNOWN = _Known()


def _place() -> Path | None:
    root = state_root()
    return None if root is None else root / FILE


def _read(place: Path | None) -> dict[str, _Entry]:
    """The entries that a file holds; none if there is no such file, or it is of another kind."""
    try:
        stored = json.loads(place.read_text("utf-8")) if place is not None else {}
        if stored.get("edition") != EDITION:
            return {}
        return {name: _entry(*one) for name, one in stored["files"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _entry(state: list[int], facts: list[Any]) -> _Entry:
    imports, digest = facts
    time, size = state
    read = tuple(Import(level, module, tuple(names)) for level, module, names in imports)
    return (time, size), SourceFacts(read, digest)


def _imports(tree: ast.AST) -> tuple[Import, ...]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [Import(0, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append(Import(node.level, node.module or "", tuple(alias.name for alias in node.names)))
    return tuple(found)


def _essence(text: str, tree: ast.AST) -> str:
    """The text without comments, docstrings, blank lines and trailing space."""
    lines = text.split("\n")
    if "#" in text:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant):
                rows = range(statement.lineno - 1, statement.end_lineno or statement.lineno)
                if isinstance(value.value, str) and lines[rows[0]].lstrip()[:1] in "\"'rRuU":
                    for row in rows:
                        lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
