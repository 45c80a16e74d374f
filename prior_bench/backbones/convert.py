"""Write any loadable checkpoint in the prior-bench format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench import __version__
from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.checkpoints.folders import weights_file
from prior_bench.checkpoints.native import read_info, save_image_encoder, save_method
from prior_bench.errors import BenchError


def convert(
    path: str | Path,
    output: str | Path,
    tokenizer: str | None = None,
    image_only: bool = False,
    input: dict[str, Any] | None = None,
    text_encoder: str | None = None,
) -> str:
    """Write a checkpoint in the prior-bench format; the file appears complete or not at all.

    Args:
        path: a file or folder that ``--backbone`` takes.
        output: the safetensors file to write.
        tokenizer: tokenizer of a released text encoder.
        image_only: whether to leave out the text encoder.
        input: fields of InputSpec to change; files that do not state their mean and std need them.
        text_encoder: folder or hub name of a text encoder that is not in the file.

    Returns:
        A description of the written model.

    Raises:
        BenchError: the output exists, the input cannot be loaded or already is a prior-bench checkpoint, or
            its tokenizer is missing.
    """
    if Path(output).exists():
        raise BenchError("already exists", where=output, fix="give another file with -o")
    source = CheckpointFile(
        Path(path).stem, str(path), tokenizer=tokenizer, input=input, text_encoder=text_encoder
    )
    source.check()
    if read_info(weights_file(path)) is not None and not image_only:
        raise BenchError("is already a prior-bench checkpoint", where=path)
    if source.text_problem and not image_only:
        raise BenchError(source.text_problem, where=path, fix="or convert the image encoder: --image-only")
    backbone = source.load(0, LoadContext())
    provenance = {"converted_from": backbone.provenance, "prior_bench": __version__}
    for data in source.training_data():  # the leakage check needs to know its patients
        provenance["config"] = {"data": data}
    if backbone.method is None or image_only:
        save_image_encoder(output, backbone.image_encoder, provenance)
        return f"image encoder {backbone.image_encoder.arguments['model_name']}"
    config = source.config()
    assert config is not None, "a method that was loaded has a config"
    save_method(output, backbone.method, config, provenance)
    return f"method '{config['type']}' with its text encoder and tokenizer"
