"""Make an official repository importable in this process, on today's libraries.

Nothing of it is changed on the disk. What is changed in memory, and why, is said where it is done.
"""

import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def stand_in(name: str, **names: Any) -> types.ModuleType:
    """Put a module with ``names`` alone in the place of one that cannot be imported or is not used."""
    module = types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module
    return module


def put_first(folders: Iterable[Path]) -> None:
    """Import from these folders before all others."""
    sys.path[:0] = [str(folder) for folder in folders]


def without_downloads() -> None:
    """Torchvision's ResNets have random weights, whatever is asked for; the caller then loads its own."""
    from torchvision import models

    for name in ("resnet18", "resnet34", "resnet50"):
        setattr(models, name, _random(getattr(models, name)))


def _random(build: Any) -> Any:
    return lambda *_, **__: build(weights=None)


def with_old_names() -> None:
    """Names that libraries have dropped: ``pydicom.read_file``, ``numpy.Inf``; ``torch.load`` of objects."""
    import numpy as np
    import pydicom
    import torch

    pydicom.read_file = pydicom.dcmread
    np.Inf = np.inf
    load = torch.load
    # the files are written by the benchmark itself, or by the official code in this run
    torch.load = lambda *args, **options: load(*args, **{"weights_only": False, **options})


def rebased(constants: types.ModuleType, folder: Path) -> None:
    """Data paths of a module of constants lie under ``folder`` instead of its ``DATA_BASE_DIR``."""
    base = constants.DATA_BASE_DIR
    for name, value in list(vars(constants).items()):
        if isinstance(value, Path) and value.is_relative_to(base):
            setattr(constants, name, folder / value.relative_to(base))


def enlarging_to(side: int) -> types.SimpleNamespace:
    """``torch.nn`` whose ``Upsample`` enlarges to ``side`` pixels instead of the 299 that encoders fix."""
    from torch import nn

    def upsample(size: Any, **options: Any) -> nn.Module:
        return nn.Upsample(size=(side, side), **options)

    return types.SimpleNamespace(**{**vars(nn), "Upsample": upsample})


def without_gpu() -> None:
    """``.cuda()`` changes nothing where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        for kind in (torch.Tensor, torch.nn.Module):
            kind.cuda = lambda self, *_, **__: self
