"""Convert the text that names a backbone to a row of a suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name


def backbone_row(text: str, tokenizer: str | None = None) -> dict[str, Any]:
    """Return the row of a suite for a text that ``--backbone`` or the Python API accepts.

    Args:
        text: a checkpoint file or folder, ``timm:MODEL``, ``random:MODEL``, ``random:CONFIG``, or a
            pre-training config.
        tokenizer: tokenizer of a released checkpoint's text encoder.

    Raises:
        BenchError: the text is neither a file nor a known source of weights, or the source takes no
            tokenizer.
    """
    if tokenizer is not None:
        row = backbone_row(text)
        if row["type"] != "checkpoint":
            raise BenchError("only a checkpoint file can have a tokenizer", where="tokenizer")
        return {**row, "tokenizer": tokenizer}
    folder = paths.shipped("configs") / "pretrain"
    known = [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.py"))]
    kind, colon, name = text.partition(":")
    if colon and kind in ("timm", "random"):
        untrained = kind == "random" and (name in known or name.endswith(".py"))
        return {"name": text, "type": kind, "config" if untrained else "image_encoder": name}
    is_config = text in known or text.endswith(".py")
    if Path(text).suffix in (".safetensors", ".pt", ".pth", ".ckpt", ".bin") or (
        (Path(text).is_file() or (Path(text) / "config.json").is_file()) and not is_config
    ):
        return {"name": _label(Path(text)), "type": "checkpoint", "path": text}
    if not is_config:
        raise unknown_name("backbone", text, [*known, "timm:NAME", "random:NAME", "FILE"], where="backbone")
    return {"name": text, "type": "pretrain", "config": text}


def _label(checkpoint: Path) -> str:
    """The file's name; of ``model.safetensors``, as every pre-training run calls its own, the folder's."""
    from prior_bench.pretraining.folder import FINAL

    return checkpoint.resolve().parent.name if checkpoint.name == FINAL else checkpoint.stem
