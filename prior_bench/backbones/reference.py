"""Convert the text that names a backbone to a row of a suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.checkpoints.folders import config_of_folder
from prior_bench.errors import BenchError, unknown_name
from prior_bench.models.cards import card_names, row_of

LIBRARIES = {
    "hf": ("tokenizer", "input", "pool", "remote_code"),
    "open_clip": ("tokenizer", "input"),
    "checkpoint": ("tokenizer", "input", "image_encoder", "text_encoder"),
    "timm": (),
}
"""Types of rows, with the arguments that a model of a library or of a card takes."""
FORMS = ("hf:NAME", "open_clip:NAME", "timm:NAME", "random:NAME", "embeddings:FILE", "FILE", "CARD@FILE")
"""Texts that name a backbone besides the names of pre-training configs and of model cards."""
BUILT = ("hf", "open_clip")
"""Types of rows of models that another library builds."""


def backbone_row(
    text: str,
    tokenizer: str | None = None,
    *,
    image_encoder: str | None = None,
    input: Mapping[str, Any] | None = None,
    pool: str | None = None,
    remote_code: str | None = None,
    text_encoder: str | None = None,
    method: str | None = None,
    allow_nonfinite: bool = False,
) -> dict[str, Any]:
    """Return the row of a suite for a text that ``--backbone`` or the Python API accepts.

    Args:
        text: a checkpoint file or folder, ``hf:ORG/NAME``, ``hf:FOLDER``, ``open_clip:ORG/NAME``,
            ``open_clip:FOLDER``, ``open_clip:NAME/TAG``, ``open_clip:NAME@FILE``, ``timm:MODEL``,
            ``random:MODEL``, ``random:CONFIG``, ``embeddings:FILE``, a pre-training config, the name of a
            model card, or ``CARD@FILE`` (a model card, with the place of its weights). A folder needs no
            library's name.
        tokenizer: tokenizer of a released checkpoint's text encoder, or of a two-tower model.
        image_encoder: timm's name of the architecture of a checkpoint's image encoder.
        input: fields of the input (InputSpec) to change.
        pool: global pooling of the image encoder.
        remote_code: name of a model on the hub whose own code may be run.
        text_encoder: folder or hub name of a text encoder that is not in the file of its image encoder.
        method: name in full (``module:Class``) of the method of a checkpoint of prior-bench, to import it.
        allow_nonfinite: whether a checkpoint file with NaN or infinity in its weights is loaded.

    Raises:
        BenchError: the text is neither a file nor a known source of weights, or the source does not take one
            of the others.
    """
    row = _row_of(text, named=image_encoder is not None)
    if row["type"] in (*BUILT, "card"):
        given = dict(
            tokenizer=tokenizer,
            input=dict(input or {}) or None,
            pool=pool,
            remote_code=remote_code,
            image_encoder=image_encoder,
            text_encoder=text_encoder,
            method=method,
            allow_nonfinite=allow_nonfinite or None,
        )
        kind = row["type"] if row["type"] in BUILT else row_of(row["model"], row.get("weights"))["type"]
        return _of_library(row, kind, {name: value for name, value in given.items() if value is not None})
    if remote_code is not None:
        raise BenchError("only a model of the hub (hf:ORG/NAME) can bring code", where="remote_code")
    is_file, is_model = row["type"] == "checkpoint", "image_encoder" in row
    if tokenizer is not None:
        if not is_file:
            raise BenchError("only a checkpoint file can have a tokenizer", where="tokenizer")
        row["tokenizer"] = tokenizer
    if text_encoder is not None:
        if not is_file:
            what = "only a checkpoint file can have its text encoder in another place"
            raise BenchError(what, where="text_encoder")
        row["text_encoder"] = text_encoder
    if method is not None:
        if not is_file:
            raise BenchError("only a checkpoint file names a method", where="method", fix="leave it out")
        row["method"] = method
    if allow_nonfinite:
        if not is_file:
            raise BenchError(
                "only a checkpoint file can be loaded so", where="allow_nonfinite", fix="leave it out"
            )
        row["allow_nonfinite"] = True
    if image_encoder is not None:
        if not is_file:
            what = "only a checkpoint file needs the name of its architecture"
            raise BenchError(what, where="image_encoder", fix="leave it out: the backbone names its own")
        row["image_encoder"] = image_encoder
    if input and is_file:
        row["input"] = dict(input)
    if pool is not None or (input and not is_file):
        if not (is_model or image_encoder is not None):
            raise BenchError(
                f"cannot be changed for {text}",
                where="pool" if pool is not None else "input",
                fix=_change_of_encoder(row["type"]),
            )
        changes = {"pool": pool, "input": dict(input) if input and not is_file else None}
        row["image_encoder"] = {
            "model_name": row["image_encoder"],
            **{key: value for key, value in changes.items() if value is not None},
        }
    return row


def _of_library(row: dict[str, Any], kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a model of another library or of a card, with the arguments that its source takes."""
    taken = LIBRARIES.get(kind, ())
    for name in given:
        if name not in taken:
            what = f"a model of {kind} takes no {name}"
            raise BenchError(what, where=name, fix=f"leave it out; it takes {', '.join(taken) or 'nothing'}")
    return {**row, **given}


def _row_of(text: str, named: bool = False) -> dict[str, Any]:
    folder = paths.shipped("configs") / "pretrain"
    known = [path.relative_to(folder).with_suffix("").as_posix() for path in sorted(folder.rglob("*.py"))]
    # open_clip's own way to write a name on the hub
    text = text.replace("hf-hub:", "open_clip:", 1).replace("open_clip:open_clip:", "open_clip:", 1)
    kind, colon, name = text.partition(":")
    if colon and kind in ("timm", "random"):
        untrained = kind == "random" and (name in known or name.endswith(".py"))
        return {"name": text, "type": kind, "config" if untrained else "image_encoder": name}
    if colon and kind in BUILT:
        return {"name": _label_of_model(name), "type": kind, "model": name}
    if colon and kind == "embeddings":
        return {"name": Path(name).stem, "type": kind, "file": name}
    card, at, weights = text.partition("@")
    is_here = Path(text).is_file() or config_of_folder(Path(text)) or library_of(Path(text))
    if not is_here and text not in known and card in card_names():
        return {"name": card, "type": "card", "model": card, **({"weights": weights} if at else {})}
    if Path(text).suffix in (".npz", ".parquet"):
        raise BenchError("is no checkpoint", where=text, fix=f"for a file of embeddings, embeddings:{text}")
    is_config = text in known or text.endswith(".py")
    if not named and not is_config and (library := library_of(Path(text))):
        return {"name": Path(text).resolve().name, "type": library, "model": text}
    if Path(text).suffix in (".safetensors", ".pt", ".pth", ".ckpt", ".bin") or (
        (Path(text).is_file() or (Path(text) / "config.json").is_file()) and not is_config
    ):
        return {"name": _label(Path(text)), "type": "checkpoint", "path": text}
    if not is_config:
        if re.fullmatch(r"[\w.-]+/[\w.-]+", text) and not Path(text).parent.is_dir():
            what, fix = "is no file", f"for a model on the hub: hf:{text}, or open_clip:{text}"
            raise BenchError(what, where=text, fix=fix)
        if Path(text).is_dir():
            what = "is a folder without config.json or open_clip_config.json, which say what to build"
            fix = "download the whole folder again, or name a file of weights in it"
            raise BenchError(what, where=text, fix=fix)
        raise unknown_name("backbone", text, [*known, *card_names(), *FORMS], where="backbone")
    return {"name": text, "type": "pretrain", "config": text}


def _change_of_encoder(kind: str) -> str:
    """How else to change the pooling or the input of a source that has no argument for it."""
    other = {
        "checkpoint": "name the architecture (--image-encoder NAME)",
        "embeddings": "write them with another one (prior-bench embed)",
    }
    return other.get(kind, "change the config")


def library_of(folder: Path) -> str:
    """Return the library whose config a folder has, as the type of a row; empty for other folders."""
    if (folder / "open_clip_config.json").is_file():
        return "open_clip"
    return "hf" if "model_type" in config_of_folder(folder) else ""


def _label_of_model(reference: str) -> str:
    name, _, file = reference.partition("@")
    return Path(file).stem if file and Path(file).suffix else Path(name).name


def _label(checkpoint: Path) -> str:
    """The file's name; of ``model.safetensors``, as every pre-training run calls its own, the folder's."""
    from prior_bench.pretraining.folder import FINAL

    return checkpoint.resolve().parent.name if checkpoint.name == FINAL else checkpoint.stem
