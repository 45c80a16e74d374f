"""Export a backbone: an image encoder that timm and transformers can load, and a BERT folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from prior_bench.api import Backbone
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.folders import EXPOSURE
from prior_bench.checkpoints.native import storable
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_folder
from prior_bench.io.digest import save_sealed
from prior_bench.libraries.vision import LibraryEncoder

CROP_MODES = {"squash": "squash", "pad": "border", "pad_first": "border", "crop": "center"}
"""timm's names of the ways to make an image square."""


def export(backbone: Backbone, folder: str | Path, exposure: dict[str, Any] | None = None) -> list[str]:
    """Write ``image_encoder/`` and, with a text encoder, ``text_encoder/``; the folder appears when complete.

    A model that transformers or open_clip built is written as ``model/``, in the form of that library.

    ``image_encoder/`` contains ``model.safetensors`` with timm's names and timm's ``config.json``. An
    attention pool, which timm's model does not have, is in ``attention_pool.safetensors`` next to it.

    Args:
        backbone: the backbone to export.
        folder: target folder; it must not exist or be empty.
        exposure: exposure of the weights (:func:`prior_bench.suites.leakage.exposure_of`). It is stored in
            ``config.json`` under the key ``prior_bench``, so that later evaluations know it.

    Returns:
        One line per written model, which shows how to load it.

    Raises:
        BenchError: the folder is not empty, or cannot be written.
    """
    backbone.require_network("an export")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BenchError("already exists and is not empty", where=folder, fix="give another folder with -o")
    with whole_folder(folder, errors=(SafetensorError,)) as fresh:
        if isinstance(backbone.image_encoder, LibraryEncoder):  # it stays in the form of its library
            line = backbone.image_encoder.save_to(fresh / "model")
            lines = [line.format(shown=folder / "model")]
        else:
            lines = _image(backbone, fresh / "image_encoder", folder / "image_encoder", exposure or {})
            if backbone.method is not None:
                lines += _text(backbone, fresh / "text_encoder", folder / "text_encoder")
        _write_json(fresh / "provenance.json", backbone.provenance)
    return lines


def timm_config(encoder: Any) -> dict[str, Any]:
    """Return timm's description of the image encoder, as in ``config.json`` on the Hugging Face hub."""
    known, spec = encoder.arguments, encoder.input
    arguments = dict(known["model_args"])
    if spec.channels != 3:
        arguments["in_chans"] = spec.channels
    if not encoder.is_hierarchical and spec.size != 224:
        arguments["img_size"] = spec.size
    return {
        "architecture": known["model_name"].partition(".")[0],
        "num_classes": 0,
        "num_features": encoder.model.num_features,
        **({"model_args": arguments} if arguments else {}),
        "pretrained_cfg": {
            "input_size": [spec.channels, spec.size, spec.size],
            "mean": list(spec.means),
            "std": list(spec.stds),
            "interpolation": spec.library_interpolation,
            "crop_pct": spec.size / (spec.resize_to or spec.size),
            "crop_mode": CROP_MODES[spec.resize],
            "num_classes": 0,
        },
    }


def _image(backbone: Backbone, target: Path, shown: Path, exposure: dict[str, Any]) -> list[str]:
    encoder = backbone.image_encoder
    config = timm_config(encoder)
    target.mkdir(parents=True)
    save_sealed(storable(encoder.model), target / "model.safetensors")
    _write_json(target / "config.json", {**config, **({EXPOSURE: exposure} if exposure else {})})
    arguments = "".join(f", {key}={value!r}" for key, value in config.get("model_args", {}).items())
    name = config["architecture"]
    lines = [
        f"timm          timm.create_model('{name}', checkpoint_path='{shown}/model.safetensors', "
        f"num_classes=0{arguments})",
        f"transformers  TimmWrapperModel.from_pretrained('{shown}')",
    ]
    if encoder.attention_pool is not None:
        save_sealed(storable(encoder.attention_pool), target / "attention_pool.safetensors")
        lines.append(
            f"note          the backbone's global feature is an attention pool over the last map, which timm "
            f"lacks: its weights are in {shown}/attention_pool.safetensors"
        )
    if encoder.arguments["pool"] == "first":
        lines.append(
            "note          the backbone's global feature is the first position of the last map after its "
            "norm, "
            "which timm does not read"
        )
    return lines


def _text(backbone: Backbone, target: Path, shown: Path) -> list[str]:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    from prior_bench.encoders.hub import quiet

    encoder = backbone.text_method.text_encoder
    stored = json.loads(encoder.tokenizer.to_json())
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(stored["backend"])),
        model_max_length=encoder.tokenizer.max_tokens,
        **_special_tokens(stored),
    )
    with quiet("transformers"):
        encoder.model.save_pretrained(target)
    for file in target.glob("*.safetensors"):
        save_sealed(read_tensors(file), file)
    tokenizer.save_pretrained(target)
    return [f"text          AutoModel.from_pretrained('{shown}', add_pooling_layer=False), AutoTokenizer"]


def _special_tokens(stored: dict[str, Any]) -> dict[str, str]:
    """Return the special tokens in the vocabulary, under transformers' names."""
    known = {token["content"] for token in stored["backend"]["added_tokens"]}
    known |= set(stored["backend"]["model"].get("vocab", {}))
    roles = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    return {"pad_token": stored["pad_token"], **{r: t for r, t in roles.items() if t in known}}


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, default=str) + "\n", encoding="utf-8")
