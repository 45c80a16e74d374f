"""Root folders and shipped files.

An environment variable sets each root; the default is a folder in the working directory. Somebody else may
have sent that directory: a default folder that a symbolic link leads out of it is refused before anything is
written (:func:`led_here`). Shipped files (configs, prompts, published numbers) are inside the installed
package, or next to it in a checkout.
"""

import os
from contextlib import suppress
from pathlib import Path

from prior_bench.errors import BenchError

PACKAGE = Path(__file__).parent


DEFAULTS = {"PRIOR_BENCH_DATA": "data", "PRIOR_BENCH_CACHE": "cache", "PRIOR_BENCH_RESULTS": "results"}
"""Environment variable of each root, and the folder in the working directory without it."""


def _root(variable: str) -> Path:
    return Path(os.environ.get(variable, DEFAULTS[variable]))


def led_here(place: Path) -> Path:
    """Return a folder to write to, unless it is in a default root and a link leads it elsewhere.

    A root that the user has named by its variable may be a link, and so may what is in it.

    Raises:
        BenchError: the place is outside the working directory, and nobody has named it.
    """
    for variable, name in DEFAULTS.items():
        if variable in os.environ or not Path(os.path.abspath(place)).is_relative_to(os.path.abspath(name)):
            continue
        real = os.path.realpath(place)
        if not Path(real).is_relative_to(os.path.realpath(os.curdir)):
            raise BenchError(
                f"is led out of the working folder by a symbolic link, to {real}; nothing is written there",
                where=place,
                fix=f"remove the link; or, if it is yours, name the folder on purpose: {variable}={name}",
            )
    return place


def _with_entries(root: Path) -> Path:
    """Check a root, and the folders in it, which are few."""
    led_here(root)
    with suppress(OSError):  # not there yet, or it may not be read
        for entry in [one.path for one in os.scandir(root) if one.is_symlink()]:
            led_here(Path(entry))
    return root


def data_root() -> Path:
    """Return the folder with one sub-folder per data set (``PRIOR_BENCH_DATA``, default ``data``).

    It is for reading, and may be a link; what is written there goes through :func:`led_here`.
    """
    return _root("PRIOR_BENCH_DATA")


def generated_root(name: str) -> Path:
    """Return the folder ``name`` of generated data, under the data root.

    Raises:
        BenchError: see :func:`led_here`.
    """
    return led_here(data_root() / name)


def cache_root() -> Path:
    """Return the folder for files that can be computed again (``PRIOR_BENCH_CACHE``, default ``cache``).

    Raises:
        BenchError: by default, and a link leads it, or a folder in it, out of the working directory.
    """
    return _with_entries(_root("PRIOR_BENCH_CACHE"))


def results_root() -> Path:
    """Return the folder with one store per suite (``PRIOR_BENCH_RESULTS``, default ``results``).

    Raises:
        BenchError: as for :func:`cache_root`.
    """
    return _with_entries(_root("PRIOR_BENCH_RESULTS"))


def unchecked_roots() -> dict[str, Path]:
    """Return the roots by the names ``data``, ``cache`` and ``results``, to be shown or compared."""
    return {name: _root(variable) for variable, name in DEFAULTS.items()}


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
