"""Our own checkpoint: safetensors, with all that is needed to use the weights in its metadata."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prior_bench.checkpoints.files import read_metadata, read_tensors
from prior_bench.errors import BenchError

KEY = "prior_bench"
"""Name of our entry in the metadata of a safetensors file."""
SCHEMA = 1


@dataclass(frozen=True)
class NativeInfo:
    """What a checkpoint says of itself.

    Attributes:
        method: arguments of METHODS.build, made free of downloads; its tokenizer is kept apart. Of an image
            encoder alone: ``{"image_encoder": ...}``.
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
        """Whether it is a whole method, with a text encoder, or an image encoder alone."""
        return "type" in self.method


def read_info(path: str | Path) -> NativeInfo | None:
    """What the checkpoint says of itself, or None where it is not one of ours; reads no tensor.

    Raises:
        BenchError: missing or truncated file, or a newer schema.
    """
    text = read_metadata(path).get(KEY)
    if text is None:
        return None
    values = json.loads(text)
    if values.pop("schema") > SCHEMA:
        raise BenchError("written by a newer prior-bench", where=path, fix="update prior-bench")
    return NativeInfo(**values)


def save_method(path: str | Path, method: Any, config: dict[str, Any], provenance: dict[str, Any]) -> Path:
    """Write a method with its weights; the file appears only when complete.

    Args:
        method: as built by ``METHODS.build(config)``.
        config: that config; what it says of the encoders is replaced by what they have become.
        provenance: plain types.
    """
    text = dict(method.text_encoder.arguments)
    tokenizer = text.pop("tokenizer")
    described = {**config, "image_encoder": method.image_encoder.arguments, "text_encoder": text}
    info = NativeInfo(described, tokenizer, asdict(method.image_encoder.input), provenance)
    return _save(Path(path), method, info)


def save_image_encoder(path: str | Path, encoder: Any, provenance: dict[str, Any]) -> Path:
    """The same for an :class:`prior_bench.encoders.image.ImageEncoder` alone."""
    info = NativeInfo({"image_encoder": encoder.arguments}, "", asdict(encoder.input), provenance)
    return _save(Path(path), encoder, info)


def _save(path: Path, module: Any, info: NativeInfo) -> Path:
    from safetensors.torch import save_file

    # One entry: safetensors writes several in an order that changes from run to run.
    metadata = {KEY: json.dumps({"schema": SCHEMA, **asdict(info)}, sort_keys=True)}
    tensors = {
        name: tensor.detach().cpu().contiguous().clone() for name, tensor in module.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        save_file(tensors, unfinished, metadata=metadata)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def load_method(path: str | Path) -> tuple[Any, NativeInfo]:
    """The method of a checkpoint written by :func:`save_method`, in evaluation mode on the CPU.

    Of one written by :func:`save_image_encoder`, the encoder.

    Raises:
        BenchError: not one of ours, an unknown method, or tensors that do not fit it.
    """
    from prior_bench.registry import METHODS

    info = read_info(path)
    if info is None:
        raise BenchError("not a checkpoint written by prior-bench", where=path)
    if info.is_method:
        text = {**info.method["text_encoder"], "tokenizer": info.tokenizer}
        module, what = METHODS.build({**info.method, "text_encoder": text}), f"method '{info.method['type']}'"
    else:
        from prior_bench.encoders.image import ImageEncoder

        module, what = ImageEncoder(**info.method["image_encoder"]), "its image encoder"
    state, tensors = module.state_dict(), read_tensors(path)
    wrong = sorted(state.keys() ^ tensors.keys())
    wrong += [name for name in state if name in tensors and state[name].shape != tensors[name].shape]
    if wrong:
        raise BenchError(
            f"{len(wrong)} tensors do not fit {what}: {', '.join(wrong[:5])}",
            where=path,
            fix="it was written by another version of the code; train or convert it again",
        )
    module.load_state_dict(tensors)
    return module.eval(), info
