"""Small checkpoints and model folders of every kind, as ``checkpoint_files.py`` mutates them."""

import argparse
import json
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import torch

SMALL = {"model_name": "resnet18", "in_channels": 1, "model_args": {"channels": [8, 8, 8, 8]}}
INPUT = {"size": 32, "mean": 0.5, "std": 0.25}
TEXTS = [("The heart is enlarged.",), ("No pleural effusion.", "The lungs are clear.")]
DATA = {"name": "own", "type": "csv", "root": "own.csv"}
MANIFEST = SimpleNamespace(
    name="own", table=pd.DataFrame({"split": ["train", "test"], "patient_id": ["a", "b"]})
)
TRAINED_ON = {"dataset": {"type": "csv", "root": "other.csv"}, "split_rule": "default", "splits": ["train"]}


def make(folder: Path) -> dict[str, Path]:
    """Write one of each kind into a new folder; return their paths by kind."""
    from safetensors.torch import save_file

    from prior_bench.encoders.image import ImageEncoder

    folder.mkdir()
    torch.manual_seed(0)
    state = ImageEncoder(**SMALL).model.state_dict()
    made = {kind: folder / name for kind, name in NAMES.items()}
    save_file(state, made["safetensors"], metadata={"format": "pt"})
    torch.save(state, made["zip"])
    torch.save({"state_dict": state, "epoch": 3}, made["legacy"], _use_new_zipfile_serialization=False)
    settings = argparse.Namespace(lr=1e-4, betas=(0.9, 0.999), name="run")
    whole = {"epoch": 3, "state_dict": {f"model.{n}": t for n, t in state.items()}}
    torch.save({**whole, "hyper_parameters": settings}, made["lightning"])
    _timm(made["timm"], state)
    _native(made["native"])
    _hf(made["hf"])
    _open_clip(made["open_clip"])
    return made


NAMES = {
    "safetensors": "plain.safetensors",
    "zip": "zip.pt",
    "legacy": "legacy.pth",
    "lightning": "lightning.ckpt",
    "timm": "timm",
    "native": "native.safetensors",
    "hf": "hf",
    "open_clip": "open_clip",
}
"""Names of the files and folders, by kind."""


def source_of(kind: str, path: Path):
    """The source of a row that reads a file or folder of a kind."""
    from prior_bench.backbones.checkpoint import CheckpointFile
    from prior_bench.backbones.hf import TransformersModel
    from prior_bench.backbones.open_clip import OpenClipModel

    if kind == "hf":
        return TransformersModel("row", str(path))
    if kind == "open_clip":
        return OpenClipModel("row", str(path))
    if kind in ("timm", "native"):
        return CheckpointFile("row", str(path))
    return CheckpointFile("row", str(path), image_encoder=SMALL, input=INPUT)


def _timm(folder: Path, state: dict) -> None:
    from safetensors.torch import save_file

    folder.mkdir()
    save_file(state, folder / "model.safetensors")
    config = {
        "architecture": "resnet18",
        "model_args": {"in_chans": 1, "channels": [8, 8, 8, 8]},
        "pretrained_cfg": {"input_size": [1, 32, 32], "mean": [0.5], "std": [0.25]},
        "prior_bench": {"training_data": [TRAINED_ON], "known_exposure": [["own", "a clause"]]},
    }
    (folder / "config.json").write_text(json.dumps(config))


def _native(path: Path) -> None:
    from prior_bench.checkpoints.native import save_method
    from prior_bench.encoders.tokenizer import ReportTokenizer
    from prior_bench.registry import METHODS

    text = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    config = dict(
        type="convirt",
        image_encoder={**SMALL, "input": INPUT},
        text_encoder=dict(config=text, tokenizer=ReportTokenizer.train(TEXTS, 200, 32)),
        embed_dim=8,
    )
    save_method(path, METHODS.build(dict(config)), config, {"seed": 3, "config": {"data": TRAINED_ON}})


def _hf(folder: Path) -> None:
    from transformers import ViTConfig, ViTModel
    from transformers.utils import logging

    logging.disable_progress_bar()
    config = ViTConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        image_size=32,
        patch_size=16,
    )
    ViTModel(config).save_pretrained(folder)
    processor = {
        "image_processor_type": "ViTImageProcessor",
        "do_resize": True,
        "size": {"height": 32, "width": 32},
        "resample": 2,
        "do_normalize": True,
        "image_mean": [0.5, 0.4, 0.3],
        "image_std": [0.5, 0.5, 0.25],
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def _open_clip(folder: Path) -> None:
    import open_clip
    from safetensors.torch import save_file

    folder.mkdir()
    vision = dict(layers=1, width=16, head_width=8, patch_size=16, image_size=32)
    text = dict(layers=1, width=16, heads=2, context_length=8, vocab_size=49408)
    config = dict(embed_dim=8, vision_cfg=vision, text_cfg=text)
    model = open_clip.CLIP(**{**config, "vision_cfg": dict(vision), "text_cfg": dict(text)})
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    stated = dict(model_cfg=config, preprocess_cfg=dict(mean=[0.5] * 3, std=[0.25] * 3))
    (folder / "open_clip_config.json").write_text(json.dumps(stated))
