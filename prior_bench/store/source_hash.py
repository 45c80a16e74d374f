"""Hashes of the source code that produced a result; comments do not count.

The hashes are provenance. Keys hold declared versions instead (:mod:`prior_bench.versions`); if the hash of a
reused result differs from today's, the user is warned.
"""

from __future__ import annotations

import ast
import hashlib
import io
import sys
import tokenize
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from prior_bench.bundled import HOME, plain_name

OUTCOME_FREE = ("prior_bench.bundled", "prior_bench.errors", "prior_bench.paths", "prior_bench.registry")
"""Modules that everything imports and that cannot affect results."""

BUNDLED = "prior_bench.bundled"
"""The module whose sub-packages are in :data:`prior_bench.bundled.HOME`."""

INIT = ".__init__"
"""Suffix of a package's name that stands for its ``__init__.py`` alone, not for all its files."""


def code_version(*parts: str | ModuleType | type) -> str:
    """A short hash of the source of modules; comments, docstrings and blank lines do not count.

    Args:
        parts: module names, modules, or objects, which stand for their module. A package stands for all its
            files.

    Raises:
        ModuleNotFoundError: a name is not that of a module.
    """
    files: dict[str, Path] = {}
    for part in parts:
        name = part if isinstance(part, str) else getattr(part, "__module__", None) or part.__name__
        files |= _files(name)
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n{_essence(files[name])}\n".encode())
    return digest.hexdigest()[:12]


def used_modules(name: str) -> list[str]:
    """The module and all its direct and indirect imports from its top-level package and ``prior_bench``.

    The imports are read from the source; nothing is imported. Imports inside functions count. An imported
    package is listed as ``package.__init__``, which stands for its ``__init__.py`` alone.
    """
    inside = {name.partition(".")[0], "prior_bench"}
    found, seen, waiting = set(), set(), [name]
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if module in seen or module in OUTCOME_FREE or path is None:
            continue
        seen.add(module)
        found.add(f"{module}{INIT}" if path.name == "__init__.py" else module)
        waiting += [m for m in _imports(module, path) if m.partition(".")[0] in inside]
    return sorted(found)


def _files(name: str) -> dict[str, Path]:
    """Source files of a module, or of a whole package, by a name that does not depend on the machine."""
    path = _source(name.removesuffix(INIT))
    if path is None:
        if name in sys.modules:  # made in memory, like test doubles
            return {}
        raise ModuleNotFoundError(f"no source found for module '{name}'", name=name)
    if path.name != "__init__.py" or name.endswith(INIT):
        return {plain_name(name): path}
    folder = path.parent
    return {
        f"{plain_name(name)}/{file.relative_to(folder).as_posix()}": file for file in folder.rglob("*.py")
    }


def _source(name: str) -> Path | None:
    loaded = sys.modules.get(name)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return Path(file) if file and file.endswith(".py") and Path(file).is_file() else None
    parent, _, last = name.rpartition(".")
    if not parent:
        try:
            spec = find_spec(name)
        except (ImportError, ValueError):
            return None
        file = spec.origin if spec else None
        return Path(file) if file and file.endswith(".py") and Path(file).is_file() else None
    package = _source(parent)  # searched on disk, because find_spec would import the parent
    if package is None or not (package.name == "__init__.py" or parent == BUNDLED):
        return None
    folder = HOME if parent == BUNDLED else package.parent
    places = (folder / f"{last}.py", folder / last / "__init__.py")
    return next((place for place in places if place.is_file()), None)


def _imports(module: str, path: Path) -> tuple[str, ...]:
    """Imported names that may be modules: for ``from a import b`` both ``a`` and ``a.b``."""
    status = path.stat()
    return _imports_of(module, path, status.st_mtime_ns, status.st_size)


@cache
def _imports_of(module: str, path: Path, modified: int, size: int) -> tuple[str, ...]:
    package, found = module if path.name == "__init__.py" else module.rpartition(".")[0], []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            found += [source, *(f"{source}.{alias.name}" for alias in node.names)]
    return tuple(found)


def _essence(path: Path) -> str:
    status = path.stat()
    return _essence_of(path, status.st_mtime_ns, status.st_size)


@cache
def _essence_of(path: Path, modified: int, size: int) -> str:
    """Source text without comments, docstrings, blank lines and trailing space; equal on every Python."""
    text = path.read_text("utf-8")
    lines = text.split("\n")
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = getattr(statement, "value", None)
            if isinstance(statement, ast.Expr) and isinstance(value, ast.Constant):
                rows = range(statement.lineno - 1, statement.end_lineno or statement.lineno)
                if isinstance(value.value, str) and lines[rows[0]].lstrip()[:1] in "\"'rRuU":
                    for row in rows:
                        lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
