"""prior-bench's own checkpoints: safetensors files whose metadata tell how to use the weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from prior_bench.api import InputSpec
from prior_bench.checkpoints.files import read_metadata, read_tensors
from prior_bench.checkpoints.permitted import (
    check_depth,
    check_image_encoder,
    check_text_encoder,
    permitted_method,
)
from prior_bench.checkpoints.values import require_finite, require_numbers
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_file
from prior_bench.io.digest import description_sha256, tensors_sha256
from prior_bench.io.panics import panics_named
from prior_bench.model_folders.growing_rules import check_rules

KEY = "prior_bench"
"""Name of prior-bench's entry in the metadata of a safetensors file."""
SCHEMA = 2
"""Version of the metadata; from 2 on, files carry hashes of their tensors and of their description."""
ANEW = "it was written by another version of the code; train or convert it again"


@dataclass(frozen=True)
class NativeInfo:
    """The metadata of a checkpoint.

    Attributes:
        method: arguments of METHODS.build that need no download, without the tokenizer; for an image encoder
            alone, ``{"image_encoder": ...}``.
        tokenizer: JSON of the ReportTokenizer; empty without a text encoder.
        input: fields of InputSpec.
        provenance: config, seed, data fingerprint, versions, history.
        tensors: SHA-256 of the tensors (:mod:`prior_bench.io.digest`); empty in files of schema 1.
            It is part of no identity.
    """

    method: dict[str, Any]
    tokenizer: str
    input: dict[str, Any]
    provenance: dict[str, Any]
    tensors: str = field(default="", compare=False)

    @property
    def is_method(self) -> bool:
        """Whether the checkpoint is a method with a text encoder, rather than an image encoder alone."""
        return "type" in self.method


def read_info(path: str | Path) -> NativeInfo | None:
    """Read the metadata of a checkpoint, but no tensors; return None for other files.

    Raises:
        BenchError: the file is missing, truncated or damaged, or has a newer schema.
    """
    text = read_metadata(path).get(KEY)
    if text is None:
        return None
    try:
        values = json.loads(text)
        if values["schema"] > SCHEMA:
            raise BenchError("written by a newer prior-bench", where=path, fix="update prior-bench")
        hashes = _hashes(values)
        if values.pop("schema") > 1 and hashes is None:
            raise ValueError("its hashes are missing")
        info = NativeInfo(**values, tensors=hashes or "")
        InputSpec(**info.input)
        _require_kinds(info)
    except BenchError as error:
        raise BenchError(error.what, where=f"{path}: {error.where}", fix=error.fix) from error
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BenchError(
            f"damaged: its metadata cannot be read ({error})",
            where=path,
            fix="copy or download it again",
        ) from error
    return info


def _hashes(values: dict[str, Any]) -> str | None:
    """Take the hashes out of the metadata: return that of the tensors, None if there are none.

    Raises:
        ValueError: the description is not the one that was written.
    """
    hashes = values.pop("sha256", None)
    if hashes is None:
        return None
    if hashes["description"] != description_sha256(values):
        raise ValueError("its description has changed since it was written")
    return str(hashes["tensors"])


def _require_kinds(info: NativeInfo) -> None:
    """Raise TypeError if parts of the metadata have another type than they are used as."""
    if not isinstance(info.method, dict) or not isinstance(info.provenance, dict):
        raise TypeError("method and provenance are not dicts")
    if not isinstance(info.method["image_encoder"], dict) or not isinstance(info.tokenizer, str):
        raise TypeError("image_encoder is no dict, or tokenizer no text")
    if "type" in info.method:
        if not isinstance(info.method["type"], str) or not isinstance(info.method["text_encoder"], dict):
            raise TypeError("type is no text, or text_encoder no dict")


def save_method(path: str | Path, method: Any, config: dict[str, Any], provenance: dict[str, Any]) -> Path:
    """Write a method with its weights; the file appears complete or not at all.

    Args:
        path: file to write.
        method: a method built by ``METHODS.build(config)``.
        config: this config; the current arguments of the encoders replace those in it.
        provenance: origin of the weights, as plain types.

    Raises:
        BenchError: the file cannot be written.
    """
    text = dict(method.text_encoder.arguments)
    tokenizer = text.pop("tokenizer")
    described = {**config, "image_encoder": method.image_encoder.arguments, "text_encoder": text}
    info = NativeInfo(described, tokenizer, method.image_encoder.input.to_dict(), provenance)
    return _save(Path(path), method, info)


def save_image_encoder(path: str | Path, encoder: Any, provenance: dict[str, Any]) -> Path:
    """Write an :class:`prior_bench.encoders.image.ImageEncoder` with its weights; see :func:`save_method`."""
    info = NativeInfo({"image_encoder": encoder.arguments}, "", encoder.input.to_dict(), provenance)
    return _save(Path(path), encoder, info)


def _save(path: Path, module: nn.Module, info: NativeInfo) -> Path:
    from safetensors.torch import save_file

    # a single entry, because safetensors writes several in an order that changes between runs
    tensors, described = storable(module), {"schema": SCHEMA, **asdict(info)}
    del described["tensors"]
    described = json.loads(json.dumps(described))  # as it will be read
    hashes = {"tensors": tensors_sha256(tensors), "description": description_sha256(described)}
    metadata = {KEY: json.dumps({**described, "sha256": hashes}, sort_keys=True)}
    with whole_file(path, durable=True, errors=(SafetensorError,)) as fresh:
        save_file(tensors, fresh, metadata=metadata)
    return path


def changed_tensors(info: NativeInfo, tensors: dict[str, Tensor]) -> str:
    """Return why tensors are not those that were written; empty if they are, or if the file cannot tell."""
    if not info.tensors or tensors_sha256(tensors) == info.tensors:
        return ""
    return "damaged: its tensors are not those that were written (their sha256 differs)"


def storable(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's tensors as safetensors needs them: on the CPU, contiguous, without shared memory."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}


def load_method(path: str | Path) -> tuple[Any, NativeInfo]:
    """Load a method written by :func:`save_method`, in evaluation mode on the CPU.

    For a file written by :func:`save_image_encoder`, the image encoder is returned.

    Raises:
        BenchError: the file is not a prior-bench checkpoint, its method is unknown, or its tensors do not
            fit or are not those that were written.
    """
    info = read_info(path)
    if info is None:
        raise BenchError("not a checkpoint written by prior-bench", where=path)
    what = f"method '{info.method['type']}'" if info.is_method else "its image encoder"
    tensors = read_tensors(path)
    if changed := changed_tensors(info, tensors):
        raise BenchError(changed, where=path, fix="copy or download it again")
    check_depth(info.method, len(tensors), path)
    try:
        if (outline := _outline(info, path)) is not None:  # before memory for its weights is asked for
            _require_fit(outline, tensors, what, path)
        module = _built(info, path)
    except BenchError as error:
        raise _of_file(error, path) from error
    except Exception as error:  # the arguments in the file may be outdated or wrong
        raise BenchError(f"{what} cannot be built: {error}", where=path, fix=ANEW) from error
    state = module.state_dict()
    _require_fit(state, tensors, what, path)
    require_numbers(tensors, state, path)
    require_finite(tensors, path)
    module.load_state_dict(tensors)
    return module.eval(), info


def _outline(info: NativeInfo, path: str | Path) -> dict[str, Tensor] | None:
    """Return the module's state dict without memory; None if its class reads values while it is built."""
    try:
        with torch.device("meta"):
            return _built(info, path).state_dict()
    except (NotImplementedError, RuntimeError):  # what torch raises where a tensor without values is read
        return None


def _of_file(error: BenchError, path: str | Path) -> BenchError:
    """Return an error of the description with the file that it stands in."""
    if str(path) in str(error.where):
        return error
    return BenchError(error.what, where=f"{path}: {error.where}" if error.where else path, fix=error.fix)


def _require_fit(state: dict[str, Tensor], tensors: dict[str, Tensor], what: str, path: str | Path) -> None:
    """Raise BenchError if names or shapes of a file's tensors are not those of the module."""
    wrong = sorted(state.keys() ^ tensors.keys())
    wrong += [name for name in state if name in tensors and state[name].shape != tensors[name].shape]
    if wrong:
        raise BenchError(
            f"{len(wrong)} tensors do not fit {what}: {', '.join(wrong[:5])}",
            where=path,
            fix=ANEW,
        )


def _built(info: NativeInfo, path: str | Path) -> nn.Module:
    """Build the module without its weights, after checking that the file only asks for permitted things."""
    from prior_bench.encoders.image import ImageEncoder

    image = info.method["image_encoder"]
    check_image_encoder(image, path)
    if not info.is_method:
        return ImageEncoder(**image)
    text, name = info.method["text_encoder"], info.method["type"]
    check_text_encoder(text, path)
    kind = permitted_method(name, path)
    check_rules(json.loads(info.tokenizer)["backend"], path)
    arguments = {key: value for key, value in info.method.items() if key != "type"}
    with panics_named("its tokenizer", path):
        return kind(**{**arguments, "text_encoder": {**text, "tokenizer": info.tokenizer}})
