"""BenchX's fine-tuning on RSNA: its preprocessing, ``bin/train.py`` and ``bin/test.py``, and our protocol."""

import json
import logging
import os
import runpy
import sys
from pathlib import Path

from benchmarks.official import imports
from benchmarks.official.job import Job
from benchmarks.official.scale import CROP
from benchmarks.official.weights import IMAGE_ENCODER, image_encoder_row

EPOCHS, RATE, BATCH, WARM_UP, STEPS = 6, 2e-3, 8, 3, 24
"""On both sides, with 10 % of the labels. In BenchX up to 200, 5e-5, 64, 60 and 1200."""
CONFIG = "configs/classification/RSNA/convirt.yml"
FOLDER = "RSNA"


def official(job: Job) -> list[float]:
    """Run BenchX's scripts; return the test AUROC of each seed."""
    make_importable(job)
    prepared = job.data / "prepared"
    if not prepared.exists():
        _preprocess(job, prepared)
    return [_trained_and_tested(job, prepared, seed) for seed in job.seeds]


def make_importable(job: Job) -> None:
    """Import ``unifier`` from the checkout, and work in its folder, as the scripts require."""
    import torch

    imports.put_first([*job.sites, job.checkout, job.checkout / "bin"])
    imports.with_old_names()
    imports.without_gpu()
    scorers = "unifier.blocks.scorers.pycocoevalcap"  # of written reports
    for name, scorer in (("bleu.bleu", "Bleu"), ("meteor", "Meteor"), ("rouge", "Rouge")):
        imports.stand_in(f"{scorers}.{name}", **{scorer: None})
    for folder, models in OTHERS.items():  # they need an older transformers
        for model in models:
            imports.stand_in(f"unifier.models.{folder}.{model}", **{model: torch.nn.Identity})
    # a vision transformer, which needs a package that is not installed
    imports.stand_in("unifier.blocks.custom.refers.transformer", REFERSViT=type("REFERSViT", (), {}))
    os.chdir(job.checkout)


OTHERS = {
    "vilmedic": ("ConVIRT", "GLoRIA"),
    "downstream": ("MVQA", "MultimodalVQA", "R2Gen", "ImageSegmenter"),
}
"""Models that are not compared."""


def _preprocess(job: Job, folder: Path) -> None:
    """Run BenchX's script for RSNA, whose two folders are written in its text."""
    script = job.checkout / "preprocess/datasets/RSNA/preprocess_rsna.py"
    text = script.read_text().replace('"/source/path/to/RSNA/"', repr(f"{job.data / FOLDER}/"))
    text = text.replace('"/target/path/to/RSNA/"', repr(f"{folder}/"))
    exec(compile(text, script, "exec"), {"__name__": "__main__"})


def _trained_and_tested(job: Job, data: Path, seed: int) -> float:
    run = job.folder / f"seed-{seed}"
    options = {
        "name": run.name,
        "seed": seed,
        "ckpt_dir": job.folder,
        "dataset.data_path": data,
        "dataset.csvpath": data / "rsna_labels.csv",
        "dataset.extension": ".png",
        "dataset.split": "train_10",
        "dataset.num_workers": 0,
        "transforms.options": f"{{resize: {CROP}, crop_size: {CROP}}}",
        "model.cnn.pretrained": job.weights / IMAGE_ENCODER,
        "model.cnn.prefix": "''",
        "trainer.batch_size": BATCH,
        "trainer.optim_params.lr": RATE,
        "trainer.lr_decay_params.warmup_steps": WARM_UP,
        "trainer.lr_decay_params.t_total": STEPS,
        "trainer.epochs": EPOCHS - 1,  # its loop makes one epoch more
        "trainer.eval_start": 1,
        "trainer.eval_interval": 1,
    }
    _script(job, "train.py", options)
    _script(job, "test.py", {**options, "validator.splits": "[test]"})
    for checkpoint in run.glob("*.pth"):
        checkpoint.unlink()
    return json.loads((run / f"test_{seed}_metrics.txt").read_text())["scores"]["multiclass_auroc"]


def _script(job: Job, name: str, options: dict[str, object]) -> None:
    for known in ("SETTINGS", "settings"):  # the scripts refuse to define their logging level twice
        if hasattr(logging, known):
            delattr(logging, known)
    sys.argv = [name, CONFIG, *(f"{key}={value}" for key, value in options.items())]
    try:
        runpy.run_path(str(job.checkout / "bin" / name), run_name="__main__")
    except SystemExit as stop:  # early stopping
        if stop.code:
            raise


def ours(job: Job) -> list[float]:
    """Run our protocol; return the same."""
    import prior_bench as pb

    results = pb.evaluate(
        image_encoder_row(job.weights),
        task="classification",
        data=dict(type="rsna_pneumonia", root=str(job.data / FOLDER)),
        protocol="benchx/finetune_rsna",
        fraction=0.1,
        seed=list(job.seeds),
        overrides={
            "transform.input.size": CROP,
            "transform.train.RandomResizedCrop.size": CROP,
            "optimizer.lr": RATE,
            "optimizer.warmup": WARM_UP,
            "optimizer.total": STEPS,
            "batch_size": BATCH,
            "stopping.epochs": EPOCHS,
            "stopping.first": 1,
            "stopping.interval": 1,
        },
        store=job.folder / "records",
        device="cpu",
    )
    return [result.metrics["auroc"] for result in results]
