"""Label fractions, prompt sets, every reader on its layouts in miniature, and the sample generator."""

import hashlib
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from golden_case import Case, Numbers, summary
from layouts import LAYOUTS, Layout

from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest
from prior_bench.data.open import open_dataset
from prior_bench.data.splitting.fractions import training_part, validation_part
from prior_bench.data.splitting.shots import few_shot_rows, few_shot_validation
from prior_bench.data.texts import prompts
from prior_bench.sample import OPTIONS
from prior_bench.sample.cohorts import SAMPLE, SAMPLE_STUDY, SAMPLE_VALIDATION, Benchmark
from prior_bench.sample.generate import FURTHER, WRITERS, write_one
from prior_bench.sample.lists import write_lists
from prior_bench.schema.protocol import FewShot

SAMPLERS = {
    "by patient": {},
    "by image": dict(by="id"),
    "rows": dict(by="rows"),
    "choice": dict(by="choice", seed=42),
    "first": dict(by="first"),
    "stratified rows": dict(by="stratified_rows", seed=42),
    "balanced": dict(balanced=True),
}
FRACTIONS = (0.03, 0.1, 0.25, 0.5)


def hash_of(values: object) -> str:
    return hashlib.sha256(repr(values).encode()).hexdigest()[:16]


def planted_rows(folder: Path) -> Manifest:
    """107 images of 54 patients, so that shares are not whole numbers."""
    random = np.random.default_rng(0)
    table = pd.DataFrame({"id": [f"i{n:03d}" for n in range(107)]})
    table["patient_id"] = [f"p{n // 2:03d}" for n in range(107)]
    table["image"], table["split"] = table["id"] + ".png", "train"
    table["Edema"], table["Nodule"] = (random.random(107) < 0.3) * 1.0, (random.random(107) < 0.5) * 1.0
    return Manifest("planted", folder, table, labels=("Edema", "Nodule"))


def fractions(folder: Path) -> Numbers:
    train, found = planted_rows(folder), {}
    for name, sampler in SAMPLERS.items():
        for fraction in FRACTIONS:
            for seed in (0, 1):
                kept = list(training_part(train, sampler, fraction, seed).table["id"])
                found[f"{name}, {fraction}, seed {seed}"] = [len(kept), hash_of(kept)]
    found["validation"] = [len(validation_part(train, dict(valid_share=0.1), f)) for f in (0.5, 1)]
    return found


def few_shot(folder: Path) -> Numbers:
    several = planted_rows(folder)
    number = several.targets() @ np.array([1, 2], np.float32)
    table = several.table.assign(**{name: (number == n) * 1.0 for n, name in enumerate("abcd")})
    one = replace(several, table=table, labels=tuple("abcd"), exclusive=True)
    found: Numbers = {}
    for kind, data in (("several labels", several), ("one label", one)):
        for how in (FewShot(), FewShot(draw="images")):
            for shots in (1, 4, 8):
                kept = list(data.table["id"].iloc[few_shot_rows(data, shots, 1, how)])
                found[f"{kind}, {how.draw}, {shots} per class"] = [len(kept), hash_of(kept)]
    found["validation"] = hash_of(few_shot_validation(several, 8, 0, FewShot(), ["p003"]).tolist())
    return found


def reading(layout: Layout, folder: Path) -> Numbers:
    """Fingerprint of the content. Sizes of files are left out of it: other libraries compress differently."""
    layout.make(folder)
    data = open_dataset(layout.reference(folder), split=layout.split)
    return {
        "fingerprint": replace(data, root=folder / "nowhere").fingerprint(),
        "rows": len(data),
        "labels": list(data.labels),
        "split": replace(data, dropped={}).split_summary(),  # counts of what was left out are no number
    }


def sample(name: str, folder: Path, benchmark: Benchmark = SAMPLE) -> Numbers:
    """Names, labels and reports exactly; pixels and boxes with a tolerance, for they come from floats."""
    write_one(name, folder, "tiny", benchmark)
    write_lists(name, folder / name)
    data = open_dataset({"type": name, "root": str(folder / name), **OPTIONS.get(name, {})})
    rows = np.linspace(0, len(data) - 1, 3).astype(int)
    found: Numbers = {
        "split": replace(data, dropped={}).split_summary(),
        "labels": hash_of(data.targets().tolist()) if data.labels else "",
        "images": {str(data.cell("id", row)): summary(read_image(data.path(row))) for row in rows},
    }
    if "report" in data.table:
        found["reports"] = hash_of(list(data.table["report"]))
    if data.has("boxes"):
        found["boxes"] = summary(np.concatenate([boxes for boxes in data.table["boxes"] if len(boxes)]))
    return found


def prompt_set(name: str, folder: Path) -> Numbers:
    every = prompts.load(name)
    drawn = every.sample(2, seed=1).classes
    absence = {"negatives": hash_of(every.negatives)} if every.negatives else {}
    return {
        **absence,
        "count": {label: len(texts) for label, texts in every.classes.items()},
        "all": hash_of(every.classes),
        "drawn": {label: list(texts) for label, texts in drawn.items()},
    }


FRACTION_CASES = [
    Case("label fractions", ("fractions",), fractions),
    Case("few-shot draws", ("fractions",), few_shot),
]
PROMPT_CASES = [Case(name, (f"prompts {name}",), partial(prompt_set, name)) for name in prompts.names()]
READER_CASES = [
    Case(name, (f"reader {layout.kind}",), partial(reading, layout)) for name, layout in LAYOUTS.items()
]
SAMPLE_CASES = [
    Case(f"sample:{name}", ("generator sample", "images"), partial(sample, name), atol=1.5)
    for name in (*WRITERS, *FURTHER)
] + [
    Case(
        f"{benchmark.name}:mimic_cxr",
        (f"generator {benchmark.name}", "images"),
        partial(sample, "mimic_cxr", benchmark=benchmark),
        atol=1.5,
    )
    for benchmark in (SAMPLE_VALIDATION, SAMPLE_STUDY)
]
