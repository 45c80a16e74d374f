"""Run tests in a forked process that starts with the heavy imports already made."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple

PYTEST = (
    "assertion.rewrite",
    "capture",
    "fixtures",
    "monkeypatch",
    "python",
    "pathlib",
    "terminal",
    "tmpdir",
)
"""Parts of pytest that it would import at its start."""


class Ran(NamedTuple):
    """Outcome of one run: ``passed``, ``failed``, ``stopped`` (error outside a test) or ``timeout``."""

    outcome: str
    seconds: float


def preload(names: list[str]) -> None:
    """Import what all tests need and no mutant changes; what is not installed is left out."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")  # before NumPy is imported
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    for name in ("pytest", *(f"_pytest.{plugin}" for plugin in PYTEST), *names):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    gc.collect()
    gc.freeze()  # a collection in a child would walk, and so copy, all of this


def run_tests(root: Path, tests: list[str], limit: float, *, output: Path) -> Ran:
    """Run pytest on ``tests`` within the copy ``root`` until the first failure.

    Args:
        limit: seconds after which the run is killed.
        output: file that gets what pytest prints.
    """
    begun = time.monotonic()
    child = os.fork()
    if not child:
        os.setsid()
        os._exit(_pytest(root, tests, output))
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        seconds = time.monotonic() - begun
        if done:
            code = os.waitstatus_to_exitcode(status)
            return Ran({0: "passed", 1: "failed"}.get(code, "stopped"), seconds)
        if seconds > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return Ran("timeout", seconds)
        time.sleep(0.01)


def _pytest(root: Path, tests: list[str], output: Path) -> int:
    try:
        with open(output, "w") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os.chdir(root)
        sys.path.insert(0, str(root))
        sys.dont_write_bytecode = True  # a module of the same size and second would be taken for the last one
        import pytest

        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:unraisableexception"]
        code = int(pytest.main([*options, *tests]))
        import prior_bench

        inside = Path(prior_bench.__file__).is_relative_to(root)
        return code if inside else 70
    except BaseException:
        return 71
