"""Make an official repository importable in this process, on today's libraries.

Nothing of it is changed on the disk. What is changed in memory, and why, is said where it is done.
"""

import importlib.util
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


def module_of(name: str, file: Path) -> types.ModuleType:
    """Import one file under ``name``, without the packages in whose folders it lies.

    Raises:
        SystemExit: no such file.
    """
    if not file.is_file():
        raise SystemExit(f"{file} does not exist: --checkout must name the repository's root folder")
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec and spec.loader, file
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lightning() -> type:
    """Put the little of ``pytorch_lightning`` that a loss needs in its place; return its module class."""
    from torch import nn

    class Module(nn.Module):
        trainer, local_rank = None, 0

        def save_hyperparameters(self) -> None:
            """Keep the arguments of the constructor that calls this, as Lightning does."""
            given = dict(sys._getframe(1).f_locals)
            given |= given.pop("kwargs", {})
            self.hparams = types.SimpleNamespace(**given)

    stand_in("pytorch_lightning", LightningModule=Module, Trainer=None, seed_everything=None)
    callbacks = dict.fromkeys(("EarlyStopping", "LearningRateMonitor", "ModelCheckpoint"))
    stand_in("pytorch_lightning.callbacks", **callbacks)
    stand_in("pytorch_lightning.loggers", WandbLogger=None)
    stand_in("pytorch_lightning.plugins", DDP2Plugin=None, DDPPlugin=None)
    return Module
