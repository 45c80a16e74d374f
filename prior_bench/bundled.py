"""The suite's own top-level packages ``tasks`` and ``baselines``, even if another module has their name.

Their names are common: a user's folder may contain a ``tasks.py``, and another installed package may be
called ``baselines``. This module is a package whose sub-packages are those next to ``prior_bench`` (both in a
checkout and in a wheel), so that ``prior_bench.bundled.tasks`` is always ours. For Python's import system, it
is a normal name: pickles, spawned processes and ``torchrun`` find it like any other module. The packages use
relative imports among their own modules, so that they work under both names.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
__path__ = [str(HOME)]


def importable(module: str) -> str:
    """Return the name under which one of our modules must be imported.

    Args:
        module: name in one of our entry points, e.g. ``"tasks.classification"``.

    Returns:
        The same name if its top-level name refers to our package, otherwise ``"prior_bench.bundled.…"``.
    """
    top = module.partition(".")[0]
    place = HOME / top / "__init__.py"
    if top == "prior_bench" or not place.is_file() or _found(top) == place:
        return module
    return f"{__name__}.{module}"


def plain_name(module: str) -> str:
    """Return the name of one of our modules as in its entry point, for any way of importing it."""
    return module.removeprefix(f"{__name__}.")


def _found(top: str) -> Path | None:
    """Return the file that an import of the top-level name loads or has loaded."""
    if top in sys.modules:
        file = getattr(sys.modules[top], "__file__", None)
    else:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            return None
        file = spec.origin if spec else None
    return Path(file).resolve() if file else None
