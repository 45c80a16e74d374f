"""The suite's own top-level packages, ``tasks`` and ``baselines``, where another module has taken the name.

Their names are ordinary ones: a user's folder may hold a ``tasks.py``, and another installed package may be
called ``baselines``. This module is a package whose sub-packages are those that lie next to ``prior_bench``
(in a checkout as in a wheel), so ``prior_bench.bundled.tasks`` is always ours. It is an ordinary name for
Python's import system: pickles, spawned processes and ``torchrun`` find it as they find every other module.
The packages import one another's modules relatively, so that they work under both names.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
__path__ = [str(HOME)]


def importable(module: str) -> str:
    """The name under which one of our modules is to be imported.

    Args:
        module: as in one of our entry points, e.g. ``"tasks.classification"``.

    Returns:
        The same where its top-level name leads to our package, else ``"prior_bench.bundled.…"``.
    """
    top = module.partition(".")[0]
    place = HOME / top / "__init__.py"
    if top == "prior_bench" or not place.is_file() or _found(top) == place:
        return module
    return f"{__name__}.{module}"


def plain_name(module: str) -> str:
    """The name of one of our modules as an entry point gives it, however it was imported."""
    return module.removeprefix(f"{__name__}.")


def _found(top: str) -> Path | None:
    """The file that importing the top-level name gives, or has given."""
    if top in sys.modules:
        file = getattr(sys.modules[top], "__file__", None)
    else:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            return None
        file = spec.origin if spec else None
    return Path(file).resolve() if file else None
