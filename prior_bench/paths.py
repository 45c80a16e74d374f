"""Root folders and shipped files.

An environment variable sets each root; the default is a folder in the working directory. Shipped files
(configs, prompts, published numbers) are inside the installed package, or next to it in a checkout.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from prior_bench.errors import BenchError

PACKAGE = Path(__file__).parent


def _root(variable: str, default: str) -> Path:
    return Path(os.environ.get(variable, default))


def data_root() -> Path:
    """Return the folder with one sub-folder per data set (``PRIOR_BENCH_DATA``, default ``data``)."""
    return _root("PRIOR_BENCH_DATA", "data")


_FOR_NOW: ContextVar[Path | None] = ContextVar("_FOR_NOW", default=None)


def generated_root(name: str, part: str = "") -> Path:
    """Return the folder ``name`` of generated data, of which ``part`` is wanted.

    It is under the data root; inside of :func:`for_now`, what is not there is in a temporary folder.
    """
    temporary, kept = _FOR_NOW.get(), data_root() / name
    return kept if temporary is None or (kept / part).is_dir() else temporary / name


@contextmanager
def for_now() -> Iterator[None]:
    """Inside, data that would be generated under the data root go to a temporary folder, which is removed."""
    with tempfile.TemporaryDirectory(prefix="prior-bench-") as folder:
        token = _FOR_NOW.set(Path(folder))
        try:
            yield
        finally:
            _FOR_NOW.reset(token)


def cache_root() -> Path:
    """Return the folder for files that can be computed again (``PRIOR_BENCH_CACHE``, default ``cache``)."""
    return _root("PRIOR_BENCH_CACHE", "cache")


def results_root() -> Path:
    """Return the folder with one store per suite (``PRIOR_BENCH_RESULTS``, default ``results``)."""
    return _root("PRIOR_BENCH_RESULTS", "results")


def state_root() -> Path | None:
    """Return the folder of what this user has done on this machine; None for a user without a home.

    It is ``$XDG_STATE_HOME/prior-bench``, by default ``~/.local/state/prior-bench``: never in the working
    folder, a store, a cache or data, all of which somebody else may have sent.
    """
    stated = os.environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(stated):  # the standard says that a relative one is ignored
        stated = os.path.join(os.path.expanduser("~"), ".local/state")
    return Path(stated, "prior-bench") if os.path.isabs(stated) else None


def shipped(folder: str) -> Path:
    """Return a folder of shipped files, e.g. ``configs``: in the package (wheel) or next to it (checkout)."""
    inside, beside = PACKAGE / folder, PACKAGE.parent / folder
    return inside if inside.is_dir() else beside


def find_config(name: str, kind: str) -> Path:
    """Find the config file for ``name``: an existing path, or the shipped ``configs/<kind>/<name>.py``.

    Raises:
        BenchError: the file does not exist; the message suggests similar shipped files.
    """
    given = Path(name)
    if given.suffix == ".py" and given.is_file():
        return given
    folder = shipped("configs") / kind
    candidate = folder / (name if name.endswith(".py") else f"{name}.py")
    if candidate.is_file():
        return candidate
    from prior_bench.errors import unknown_name

    if given.suffix == ".py":
        raise BenchError(
            "this config file does not exist", where=name, fix=f"shipped configs are in {folder}"
        )
    raise unknown_name(f"config in {kind}", name, shipped_names(kind))


def shipped_names(kind: str) -> list[str]:
    """Return the names of the shipped ``configs/<kind>/<name>.py``.

    What a file of somebody else's names must be one of them: any other name may lead to code.
    """
    folder = shipped("configs") / kind
    return [str(path.relative_to(folder).with_suffix("")) for path in sorted(folder.rglob("*.py"))]
