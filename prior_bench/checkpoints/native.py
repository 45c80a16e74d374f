"""prior-bench's own checkpoints: safetensors files whose metadata tell how to use the weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor, nn

from prior_bench.api import InputSpec
from prior_bench.checkpoints.files import read_metadata, read_tensors, require_finite
from prior_bench.checkpoints.permitted import check_image_encoder, check_method, check_text_encoder
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_file

KEY = "prior_bench"
"""Name of prior-bench's entry in the metadata of a safetensors file."""
SCHEMA = 1
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
    """

    method: dict[str, Any]
    tokenizer: str
    input: dict[str, Any]
    provenance: dict[str, Any]

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
        if values.pop("schema") > SCHEMA:
            raise BenchError("written by a newer prior-bench", where=path, fix="update prior-bench")
        info = NativeInfo(**values)
        InputSpec(**info.input)
        if not isinstance(info.method, dict) or not isinstance(info.provenance, dict):
            raise TypeError("method and provenance are not dicts")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BenchError(
            f"damaged: its metadata cannot be read ({error})",
            where=path,
            fix="copy or download it again",
        ) from error
    return info


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
    metadata = {KEY: json.dumps({"schema": SCHEMA, **asdict(info)}, sort_keys=True)}
    with whole_file(path, durable=True, errors=(SafetensorError,)) as fresh:
        save_file(storable(module), fresh, metadata=metadata)
    return path


def storable(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's tensors as safetensors needs them: on the CPU, contiguous, without shared memory."""
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()}


def load_method(path: str | Path) -> tuple[Any, NativeInfo]:
    """Load a method written by :func:`save_method`, in evaluation mode on the CPU.

    For a file written by :func:`save_image_encoder`, the image encoder is returned.

    Raises:
        BenchError: the file is not a prior-bench checkpoint, its method is unknown, or its tensors do not
            fit.
    """
    info = read_info(path)
    if info is None:
        raise BenchError("not a checkpoint written by prior-bench", where=path)
    what = f"method '{info.method['type']}'" if info.is_method else "its image encoder"
    try:
        module = _built(info, path)
    except BenchError:
        raise
    except Exception as error:  # the arguments in the file may be outdated or wrong
        raise BenchError(f"{what} cannot be built: {error}", where=path, fix=ANEW) from error
    state, tensors = module.state_dict(), read_tensors(path)
    wrong = sorted(state.keys() ^ tensors.keys())
    wrong += [name for name in state if name in tensors and state[name].shape != tensors[name].shape]
    if wrong:
        raise BenchError(
            f"{len(wrong)} tensors do not fit {what}: {', '.join(wrong[:5])}",
            where=path,
            fix=ANEW,
        )
    require_finite(tensors, path)
    module.load_state_dict(tensors)
    return module.eval(), info


def _built(info: NativeInfo, path: str | Path) -> nn.Module:
    """Build the module without its weights, after checking that the file only asks for permitted things."""
    from prior_bench.encoders.image import ImageEncoder
    from prior_bench.registry import METHODS

    image = info.method["image_encoder"]
    check_image_encoder(image, path)
    if not info.is_method:
        return ImageEncoder(**image)
    text, name = info.method["text_encoder"], info.method["type"]
    check_text_encoder(text, path)
    kind = METHODS.get(name)
    check_method(kind, name, path)
    arguments = {key: value for key, value in info.method.items() if key != "type"}
    return kind(**{**arguments, "text_encoder": {**text, "tokenizer": info.tokenizer}})
