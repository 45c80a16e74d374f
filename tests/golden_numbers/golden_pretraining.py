"""Tiny pre-trainings from a CSV to a checkpoint: one plain, and those whose methods bring hooks.

Without dropout, whose masks are drawn differently on other CPUs, and without interpolation of pixels, whose
rounding training would amplify.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import tiny_methods
from golden_case import TRAINED, Case, Numbers, summary
from tiny_data import tiny_manifest

from prior_bench.checkpoints.files import read_tensors
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.trainer import pretrain
from prior_bench.versions import TRAINED_WEIGHTS

TEXT = dict(
    config=dict(**{**tiny_methods.TEXT["config"], "num_hidden_layers": 1}),
    max_tokens=32,
)
IMAGE = {**tiny_methods.CNN, "input": dict(size=32)}
NOT_DRAWN = dict(decoder_dropout=0.0, image_masking=0.0)
PRIOR = dict(queries=3, prototypes=6, decoder_layers=1, decoder_heads=2, **NOT_DRAWN)
OF_PRIOR = "prior_bench.prior.schedule"
RUNS: dict[str, dict[str, Any]] = {
    "convirt": dict(method=dict(type="convirt", embed_dim=8), schedule=dict(epochs=3, warmup_epochs=1)),
    "mgca": dict(
        method=dict(type="mgca", embed_dim=8, prototypes=6),
        schedule=dict(epochs=2),
        hooks=[dict(type="baselines.mgca.schedule.FreezePrototypes", epochs=1)],
    ),
    "prior": dict(
        method=dict(type="prior", embed_dim=32, image_encoder={**IMAGE, "pool": "attention"}, **PRIOR),
        schedule=dict(stages=[dict(epochs=1), dict(epochs=2, warmup_epochs=1), dict(epochs=1)]),
        hooks=[
            dict(type=f"{OF_PRIOR}.PrototypesFromSentences"),
            dict(type=f"{OF_PRIOR}.PrototypeTemperature", schedule="exp"),
        ],
    ),
}


def config(name: str, data: Path) -> dict[str, Any]:
    run = RUNS[name]
    return {
        **run,
        "method": dict(image_encoder=IMAGE, text_encoder=TEXT) | run["method"],
        "vocab_size": 100,
        "data": dict(
            dataset=str(data), transform=dict(RandomHorizontalFlip=dict(p=0.5)), text="shuffled_sentences"
        ),
        "batch_size": 8,
        "optimizer": dict(lr=1e-4, weight_decay=0.1),
        "clip_grad": 1.0,
        "name": name,
    }


def trained(name: str, folder: Path) -> Numbers:
    """Losses and rates of each epoch, and some of the weights at the end."""
    table = tiny_manifest(folder, images=24, size=32).table.assign(split="train")
    table["report"] = table["report"].map(" ".join)
    table[["image", "patient_id", "study_id", "split", "report"]].to_csv(folder / "pairs.csv", index=False)
    made = pretrain(from_dict(config(name, folder / "pairs.csv")), folder / "work", seed=3, device="cpu")
    history = json.loads((made.parent / "history.json").read_text())
    weights = read_tensors(made)
    chosen = [key for key in sorted(weights) if weights[key].is_floating_point() and weights[key].ndim > 1]
    return {
        "epochs": [
            {key: value for key, value in epoch.items() if key.startswith(("loss", "lr", "prototype"))}
            for epoch in history
        ],
        "weights": {key: summary(weights[key], 3) for key in chosen[:: len(chosen) // 6]},
    }


def parts(name: str) -> tuple[str, ...]:
    hooks = [f"hook {hook['type'].rpartition('.')[2]}" for hook in RUNS[name].get("hooks", ())]
    return ("pretraining", f"method {name}", *hooks, *(p for p in TRAINED_WEIGHTS if p != "pretraining"))


CASES = [Case(name, parts(name), partial(trained, name), rtol=2 * TRAINED, atol=1e-3) for name in RUNS]
