"""Hashes of the source code that produced a result; comments do not count.

The hashes are provenance. Keys hold declared versions instead (:mod:`prior_bench.versions`); if the hash of a
reused result differs from today's, the user is warned.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

from prior_bench.bundled import HOME, plain_name
from prior_bench.store.source_facts import source_facts

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
        digest.update(f"{name}\n{source_facts(files[name]).digest}\n".encode())
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
    package, found = module if path.name == "__init__.py" else module.rpartition(".")[0], []
    for level, name, names in source_facts(path).imports:
        base = package.split(".")[: len(package.split(".")) - level + 1] if level else []
        source = ".".join([*base, *([name] if name else [])])
        found += [source, *(f"{source}.{one}" for one in names)]
    return tuple(found)
