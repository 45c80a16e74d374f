"""Read weights files as data; a checkpoint cannot run code."""

from __future__ import annotations

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from prior_bench.checkpoints.inert import is_allowed, stand_ins
from prior_bench.checkpoints.torch_records import check_records
from prior_bench.errors import BenchError
from prior_bench.io.digest import require_seal

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "teacher")
"""Keys under which training scripts put the state dict, in order of preference."""
AUTHORS_CHOICE = (("image_encoder", "res_features."), ("teacher", "omni_heads."))
"""Pairs (key, part of the names below it) that come before WRAPPERS: in the files of KAD, ``model`` is the
decoder of findings; of Ark's student (``state_dict``) and teacher, its authors use the teacher."""
JOINED = {"image_encoder": "res_features.", "text_encoder": "bert_model.", "model": "decoder."}
"""Keys of KAD's files, with beginnings of names below them: a file with all three is read whole, and the keys
become part of the names."""
NO_WEIGHTS = {
    b"version https://git-lfs": (
        "is a pointer of Git LFS and not the weights themselves",
        "git lfs pull, or download the file from the web page of the repository",
    ),
    b"<!doctype": ("is a web page and not a weights file", "the download wanted a login or a confirmation"),
    b"<html": ("is a web page and not a weights file", "the download wanted a login or a confirmation"),
}
"""Beginnings of files that are saved in place of weights."""
MOST_REPEATED = 3 << 29
"""Bytes that tensors may need beyond those of their file: a file can store one value for all of a tensor."""
MOST_HEADER = 16 << 20
"""Bytes of the header of a safetensors file: names of some hundred thousand tensors, and a vocabulary."""
DEEPEST = 5
"""Largest number of nested wrapping dicts; a malicious dict can contain itself."""


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors or torch file, by name, on the CPU; wrapping dicts are opened.

    Raises:
        BenchError: the file is missing, truncated, not a weights file, or contains more than plain data.
    """
    path = _existing(path)
    if _is_safetensors(path):
        with _open_safetensors(path) as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            require_seal(tensors, file.metadata() or {}, path)
    else:
        tensors = _state_dict(_load_torch(path), path)
    _require_plain(tensors, path)
    return tensors


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read the metadata of a safetensors file without its tensors; empty for other files.

    Raises:
        BenchError: the file is missing or truncated.
    """
    path = _existing(path)
    if not _is_safetensors(path):
        return {}
    with _open_safetensors(path) as file:
        return file.metadata() or {}


def other_weights(path: str | Path) -> tuple[str, ...]:
    """Return the keys of a torch file under which there are weights beside those that are read.

    Training scripts put the moving average of the weights (``model_ema``) beside them.
    """
    path = _existing(path)
    if _is_safetensors(path):
        return ()
    content, found = _load_torch(path), []
    for _ in range(DEEPEST):
        if not isinstance(content, dict) or _is_joined(content):
            break
        wrapper = _wrapper(content)
        if wrapper is None:
            break
        for key, value in content.items():
            inner = value.get("state_dict", value) if isinstance(value, dict) else None
            if (
                key != wrapper
                and isinstance(inner, dict)
                and any(isinstance(v, Tensor) for v in inner.values())
            ):
                found.append(str(key))
        content = content[wrapper]
    return tuple(found)


def sha256(path: str | Path) -> str:
    """Return the SHA-256 hash of a file's content."""
    with open(_existing(path), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: str | Path) -> None:
    """Check a weights file that another library will read, as far as that needs none of its values.

    Raises:
        BenchError: it is missing, truncated, damaged, or contains more than plain tensors and plain data.
    """
    read_tensors(path)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise BenchError("no such checkpoint file", where=path)
    if not path.stat().st_size:
        raise BenchError("truncated: the file is empty", where=path, fix="copy or download it again")
    if not os.access(path, os.R_OK):
        raise BenchError("cannot be read: permission denied", where=path, fix=f"chmod u+r {path}")
    beginning = _beginning(path, 64).lstrip().lower()
    for mark, (what, fix) in NO_WEIGHTS.items():
        if beginning.startswith(mark):
            raise BenchError(what, where=path, fix=fix)
    return path


def _require_plain(tensors: dict[str, Tensor], path: Path) -> None:
    """Raise BenchError for tensors that are no plain arrays of real numbers, or larger than their file."""
    needed = 0
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
            what = f"{name} is no plain tensor (sparse, quantised or without values)"
        elif tensor.is_complex():
            what = f"{name} has complex numbers"
        else:  # one stored value can stand for many
            needed += tensor.numel() * tensor.element_size()
            if needed <= max(2 * path.stat().st_size, MOST_REPEATED):
                continue
            what = (
                f"the tensors up to {name} {list(tensor.shape)} need {needed:,} bytes, far more than the file"
            )
        raise BenchError(what, where=path, fix="save the plain state dict of the model")


def _is_safetensors(path: Path) -> bool:
    # 8 bytes header length, then JSON
    return path.suffix == ".safetensors" or _beginning(path, 9)[8:] == b"{"


def _open_safetensors(path: Path) -> Any:
    header = int.from_bytes(_beginning(path, 8), "little")
    if MOST_HEADER < header <= path.stat().st_size:  # otherwise it is truncated
        what = f"its header has {header >> 20} MiB; at most {MOST_HEADER >> 20} are read"
        raise BenchError(what, where=path, fix="save the tensors of the model alone")
    try:
        return safe_open(path, framework="pt", device="cpu")
    except SafetensorError as error:
        raise BenchError(
            f"truncated, or not a safetensors file ({error})", where=path, fix="copy or download it again"
        ) from error


def _load_torch(path: Path) -> Any:
    zipped = _beginning(path, 4) == b"PK\x03\x04"  # as torch decides
    try:
        named = set(torch.serialization.get_unsafe_globals_in_checkpoint(path)) if zipped else set()
        if refused := sorted(name for name in named if not is_allowed(name)):
            raise _holds_more(path, ", ".join(refused))
        with stand_ins(named):
            check_records(path)
            # with memory mapping, names and shapes are known without reading the tensors
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped or None)
    except BenchError:
        raise
    except pickle.UnpicklingError as error:
        if zipped or _is_pickle(path):
            raise _holds_more(path, _refused(error)) from error
        raise _truncated(path, error) from error
    except Exception as error:  # torch raises nearly any exception for a damaged file
        if "torchscript" in str(error).lower():
            raise BenchError(
                "is a TorchScript archive, which is code, and is not opened",
                where=path,
                fix="if you trust its source: torch.save(torch.jit.load(file).state_dict(), 'out.pth')",
            ) from error
        raise _truncated(path, error) from error


def _holds_more(path: Path, what: str) -> BenchError:
    return BenchError(
        f"contains more than tensors and plain data, and is not opened: {what}",
        where=path,
        fix="if you trust its source, in the environment that wrote it: "
        "state = torch.load(file, weights_only=False)['state_dict']; torch.save(state, 'out.pth')",
    )


def _truncated(path: Path, error: Exception) -> BenchError:
    reason = (str(error) or type(error).__name__).splitlines()[0]
    if "weights_only" in reason:  # torch's advice must not be followed here
        reason = "it cannot be unpickled"
    return BenchError(
        f"truncated, or not a weights file ({reason})", where=path, fix="copy or download it again"
    )


def _is_pickle(path: Path) -> bool:
    beginning = _beginning(path, 2)
    return len(beginning) == 2 and beginning[:1] == b"\x80"


def _beginning(path: Path, size: int) -> bytes:
    with open(path, "rb") as file:
        return file.read(size)


def _refused(error: Exception) -> str:
    """Return the part of torch's long message that names the refused object."""
    for line in str(error).splitlines():
        if "Unsupported" in line or "GLOBAL" in line or "persistent" in line:
            return line.strip().split(". ")[0]
    return "an object torch does not allow"


def _wrapper(content: dict[Any, Any]) -> str | None:
    """Return the key under which the weights are; None if they are not wrapped."""
    for key, mark in AUTHORS_CHOICE:
        inner = content.get(key)
        if isinstance(inner, dict) and any(mark in str(name) for name in inner):
            return key
    return next((k for k in WRAPPERS if isinstance(content.get(k), dict)), None)


def _is_joined(content: dict[Any, Any]) -> bool:
    """Whether a file has all parts of :data:`JOINED`."""
    return all(
        isinstance(content.get(key), dict) and any(str(name).startswith(mark) for name in content[key])
        for key, mark in JOINED.items()
    )


def _state_dict(content: Any, path: Path) -> dict[str, Tensor]:
    for _ in range(DEEPEST):
        if not isinstance(content, dict):
            break
        if _is_joined(content):
            return {
                f"{key}.{k}": v for key in JOINED for k, v in content[key].items() if isinstance(v, Tensor)
            }
        tensors = {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
        wrapper = _wrapper(content)
        if wrapper is None:
            if tensors:
                return tensors
            break
        content = content[wrapper]
    raise BenchError(
        "contains no state dict", where=path, fix=f"expected tensors by name, or under {', '.join(WRAPPERS)}"
    )
