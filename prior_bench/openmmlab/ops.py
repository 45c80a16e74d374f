"""Which implementation of mmcv's compiled ops is used: a compiled mmcv, or our stand-in.

Compiled mmcv 2.1 does not build against current torch. mmseg and mmdet need ``mmcv._ext`` to be
importable; of its ops our models call ``nms`` alone, and torchvision has it. So, where mmcv has no
extension, :mod:`prior_bench.openmmlab.torchvision_ops` is served under that name. A compiled extension
that loads is used instead; ``PRIOR_BENCH_OPS=torchvision`` forces the stand-in.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:  # loaded by path, under another name; said here so that it counts as code of the tasks
    import prior_bench.openmmlab.torchvision_ops  # noqa: F401

EXTENSION = "mmcv._ext"
STAND_IN = Path(__file__).with_name("torchvision_ops.py")
OVERRIDE = "PRIOR_BENCH_OPS"
"""Environment variable; ``torchvision`` forces the stand-in where a compiled extension is broken."""


class StandInFinder(MetaPathFinder):
    """Finds our module for the name ``mmcv._ext``."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """A spec for ``mmcv._ext``, None for everything else."""
        if fullname != EXTENSION:
            return None
        return spec_from_file_location(fullname, STAND_IN, loader=SourceFileLoader(fullname, str(STAND_IN)))


def install() -> None:
    """Make ``mmcv._ext`` importable; to be called before anything of mmseg or mmdet is imported.

    Idempotent. Imports torch only where a compiled extension has to be tried.

    Raises:
        BenchError: the override asks for the stand-in, but a compiled extension is already loaded.
    """
    compiled = _compiled()
    loaded = sys.modules.get(EXTENSION)
    if loaded is not None:
        if _forced() and not _is_stand_in(loaded.__spec__):
            raise BenchError(
                "a compiled mmcv extension is already loaded",
                where=OVERRIDE,
                fix=f"import nothing of mmcv before prior_bench, or unset {OVERRIDE}",
            )
        return
    if any(isinstance(finder, StandInFinder) for finder in sys.meta_path):
        return
    # at the end, so that a compiled extension wins; in front of it where that is unwanted or broken
    if compiled is None:
        sys.meta_path.append(StandInFinder())
    elif _forced() or not _loads():
        sys.meta_path.insert(0, StandInFinder())


def provider() -> str:
    """What the ops come from, e.g. ``"mmcv 2.1.0 compiled"``; imports neither torch nor mmcv.

    Before :func:`install` has tried it, a compiled extension that is present is taken to work.
    """
    loaded = sys.modules.get(EXTENSION)
    if loaded is not None:
        stand_in = _is_stand_in(loaded.__spec__)
    else:
        in_front = any(isinstance(finder, StandInFinder) for finder in sys.meta_path)
        stand_in = in_front or _forced() or _compiled() is None
    if stand_in:
        return "torchvision stand-in"
    try:
        return f"mmcv {version('mmcv')} compiled"
    except PackageNotFoundError:
        return "mmcv compiled"


def _forced() -> bool:
    return os.environ.get(OVERRIDE) == "torchvision"


def _is_stand_in(spec: ModuleSpec | None) -> bool:
    return spec is not None and spec.origin == str(STAND_IN)


def _compiled() -> ModuleSpec | None:
    """Where a compiled extension is; looked for without importing mmcv, which would import torch."""
    mmcv = find_spec("mmcv")
    if mmcv is None:
        return None
    return PathFinder.find_spec(EXTENSION, mmcv.submodule_search_locations)


def _loads() -> bool:
    import torch  # noqa: F401  the extension links against torch's libraries, which this loads

    try:
        import_module(EXTENSION)
    except (ImportError, OSError):
        return False
    return True
