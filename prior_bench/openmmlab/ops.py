"""Select the implementation of mmcv's compiled ops: a compiled mmcv, or a stand-in based on torchvision.

mmcv 2.1 cannot be compiled against current torch. mmseg and mmdet need an importable ``mmcv._ext``, but our
models call only its op ``nms``, which torchvision has, too. If mmcv has no extension,
:mod:`prior_bench.openmmlab.torchvision_ops` is imported under this name. A compiled extension that can be
loaded is used instead; ``PRIOR_BENCH_OPS=torchvision`` forces the stand-in.
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

if TYPE_CHECKING:  # it is loaded by path; this import makes it count as code of the tasks
    import prior_bench.openmmlab.torchvision_ops  # noqa: F401

EXTENSION = "mmcv._ext"
STAND_IN = Path(__file__).with_name("torchvision_ops.py")
OVERRIDE = "PRIOR_BENCH_OPS"
"""Environment variable; the value ``torchvision`` forces the stand-in if a compiled extension is broken."""


class StandInFinder(MetaPathFinder):
    """An import finder that returns the stand-in for the name ``mmcv._ext``."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return a spec for ``mmcv._ext``, and None for all other names."""
        if fullname != EXTENSION:
            return None
        return spec_from_file_location(fullname, STAND_IN, loader=SourceFileLoader(fullname, str(STAND_IN)))


def install() -> None:
    """Make ``mmcv._ext`` importable; this must be called before mmseg or mmdet is imported.

    The function is idempotent. It imports torch only if there is a compiled extension to try.

    Raises:
        BenchError: the override demands the stand-in, but a compiled extension is already loaded.
    """
    compiled = _compiled()
    loaded = sys.modules.get(EXTENSION)
    if loaded is not None:
        if _forced() and not _is_stand_in(loaded.__spec__):
            raise BenchError(
                "a compiled mmcv extension is already loaded",
                where=OVERRIDE,
                fix=f"do not import mmcv before prior_bench, or unset {OVERRIDE}",
            )
        return
    if any(isinstance(finder, StandInFinder) for finder in sys.meta_path):
        return
    # at the end, so that a compiled extension has priority; at the front if it is unwanted or broken
    if compiled is None:
        sys.meta_path.append(StandInFinder())
    elif _forced() or not _loads():
        sys.meta_path.insert(0, StandInFinder())


def provider() -> str:
    """Return the source of the ops, e.g. ``"mmcv 2.1.0 compiled"``, without importing torch or mmcv.

    Before :func:`install` has tried it, an existing compiled extension is assumed to work.
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
    """Find a compiled extension without importing mmcv, which would import torch."""
    mmcv = find_spec("mmcv")
    if mmcv is None:
        return None
    return PathFinder.find_spec(EXTENSION, mmcv.submodule_search_locations)


def _loads() -> bool:
    import torch  # noqa: F401  it loads torch's libraries, against which the extension links

    try:
        import_module(EXTENSION)
    except (ImportError, OSError):
        return False
    return True
