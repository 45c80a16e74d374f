"""Read objects of training scripts in checkpoints as empty stand-ins, if an allow-list names their types.

A Lightning checkpoint contains hyper-parameters and callback states, which are not needed. So that a
``weights_only`` reader accepts them, every name on the list below is bound to an inert class. Nothing is
imported, and no code of the named classes runs, whether they are installed or not.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from contextlib import AbstractContextManager
from typing import Any

EXACT = (
    "argparse.Namespace",
    "builtins.bool builtins.bytes builtins.dict builtins.float builtins.int builtins.list builtins.object",
    "builtins.str builtins.tuple __builtin__.dict __builtin__.list __builtin__.object __builtin__.unicode",
    "pathlib.Path pathlib.PosixPath pathlib.PurePath pathlib.PurePosixPath pathlib.WindowsPath",
    "pathlib._local.PosixPath pathlib._local.WindowsPath",
    "typing.Any typing.Union typing.Optional",
    "_codecs.encode",
    "numpy.dtype numpy.ndarray numpy.core.multiarray.scalar numpy.core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar numpy._core.multiarray._reconstruct",
    "omegaconf.dictconfig.DictConfig omegaconf.listconfig.ListConfig",
    "omegaconf.base.ContainerMetadata omegaconf.base.Metadata omegaconf.base.SCMode omegaconf.base.Node",
)
DICTS = (
    "collections.defaultdict easydict.EasyDict addict.addict.Dict yacs.config.CfgNode",
    "mmengine.config.config.ConfigDict mmcv.utils.config.ConfigDict",
    "pytorch_lightning.utilities.parsing.AttributeDict lightning_fabric.utilities.data.AttributeDict",
    "lightning.fabric.utilities.data.AttributeDict lightning.pytorch.utilities.parsing.AttributeDict",
)
"""Types of dict; they become OrderedDict, because torch fills only the dict types on its own list."""

PATTERNS = (
    r"omegaconf\.nodes\.\w+Node",
    r"(pytorch_lightning|lightning\.pytorch)\.callbacks(\.\w+)*\.[A-Z]\w*",
    r"(pytorch_lightning|lightning\.pytorch)\.utilities\.\w+\.[A-Z]\w*(Type|Enum)",
    r"pl_bolts\.callbacks(\.\w+)*\.[A-Z]\w*",
    r"torch\.optim\.lr_scheduler\.\w+",
)
ALLOWED_DICTS = frozenset(name for line in DICTS for name in line.split())
ALLOWED = ALLOWED_DICTS | {name for line in EXACT for name in line.split()}


class Inert:
    """A stand-in that accepts any arguments and any state, and keeps none."""

    def __new__(cls, *arguments: Any, **named: Any) -> Inert:
        """Make an empty object."""
        return super().__new__(cls)

    def __init__(self, *arguments: Any, **named: Any):
        pass

    def __setstate__(self, state: Any) -> None:
        pass


class InertDict:
    """A stand-in for dicts; its instances are OrderedDicts, which nothing reads."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        """Make an empty OrderedDict for any arguments."""
        return OrderedDict()


def is_allowed(name: str) -> bool:
    """Whether a checkpoint may contain an object of this dotted name (its content is dropped)."""
    return name in ALLOWED or any(re.fullmatch(pattern, name) for pattern in PATTERNS)


def stand_ins(names: set[str]) -> AbstractContextManager:
    """Return a context in which torch reads these names, and all of ALLOWED, as inert objects."""
    from torch.serialization import safe_globals

    wanted = sorted({name for name in names if is_allowed(name)} | ALLOWED)
    kinds = [(name, InertDict if name in ALLOWED_DICTS else Inert) for name in wanted]
    return safe_globals([(type(name.rpartition(".")[2], (kind,), {}), name) for name, kind in kinds])
