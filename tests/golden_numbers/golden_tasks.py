"""Every task from images to metrics, with an untrained mock backbone; what is trained is trained shortly.

Images have the size that the backbone takes: interpolation rounds differently on other CPUs, and training and
ranking would amplify that. ``golden_images`` pins it by itself.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from dense_data import dense_manifest
from golden_case import TRAINED, Case, Numbers, summary
from planted_maps import planted_maps, quadrant_phrases
from tiny_data import CLASSES, tiny_manifest

from prior_bench.api import RunContext
from prior_bench.mock import mock_backbone
from prior_bench.registry import TASKS
from prior_bench.suites import protocols

SHORT = {"stopping.epochs": 2, "batch_size": 4}
RUNS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "linear probe": ("clean/linear_probe", {}, False),
    "linear probe, corrupted": (
        "demo/linear_probe_corrupted",
        {"options": dict(corruptions=("noise", "rotation"), severities=(3,))},
        False,
    ),
    "linear probe, labels missing": ("clean/linear_probe", {}, False),
    "fine-tuning": (
        "demo/finetune",
        {
            "batch_size": 12,
            "head": {"norm": "layer"},
            "transform": {"train": None},
            "stopping": {"iterations": 6, "interval": 3},
        },
        False,
    ),
    "zero-shot": (
        "demo/zero_shot_corrupted",
        {"options": dict(corruptions=("blur",), severities=(5,))},
        True,
    ),
    "zero-shot, pairs": ("clean/zero_shot_pairs", {"options.scale": 4.0}, False),
    "zero-shot, ensemble": ("clean/zero_shot_ensemble", {"options.prompts": "chexpert5_ensemble"}, False),
    "zero-shot, sigmoid": (
        "clean/zero_shot_sigmoid",
        {"options.prompts": "chexpert5_ensemble", "options.scale": 10.0, "options.bias": -1.0},
        False,
    ),
    "zero-shot, softmax": ("clean/zero_shot_softmax", {"options.pooling": "embedding"}, True),
    "retrieval": ("demo/retrieval", {}, False),
    "grounding": ("demo/grounding", {"options.map": "attention"}, False),
    "grounding, cosines": (
        "demo/grounding_prompts",
        {"options.map": "similarity", "metrics": ("miou_biovil", "map_10_50", "cnr")},
        False,
    ),
    "throughput": ("clean/throughput", {"batch_size": 2, "options.repeats": 1, "options.warmup": 0}, False),
    "segmentation": (
        "demo/segmentation",
        {**SHORT, "head.channels": (8, 8, 8), "head.loss": dict(_delete_=True, dice=1.0)},
        False,
    ),
    "detection": ("demo/detection", {**SHORT, "head.width": 0.03125}, False),
}
"""Protocol, changes of it, and whether each image has exactly one label."""
TIMED = ("images_per_second", "peak_memory_mb")
KEPT = (
    "score",
    "meta_thresholds",
    "prompt_score",
    "image_to_text_rank",
    "flat_box",
    "flat_score",
    "tp",
    "fp",
    "corrupted_score",
    "example_map",
    "example_region",
    "share",
    "cnr",
)
FRACTION = 0.5


def run(name: str, folder: Path) -> Numbers:
    name_of_protocol, changes, exclusive = RUNS[name]
    protocol = protocols.load(name_of_protocol, changes)
    dense = protocol.task in ("segmentation", "detection")
    data = dense_manifest(folder) if dense else tiny_manifest(folder, exclusive=exclusive, size=64)
    backbone = mock_backbone(size=80 if dense else 64)
    if protocol.task == "grounding":
        data = replace(dense_manifest(folder), box_classes=("pneumonia",))
        if not protocol.options["prompts"]:
            data, backbone = quadrant_phrases(folder), planted_maps(wrong=1, size=64)
    if name.endswith("labels missing"):
        table = data.table.copy()
        table.loc[table.index % 3 == 0, CLASSES[0]] = np.nan
        table.loc[table["split"] == "test", CLASSES[1]] = 1.0
        data = replace(data, table=table)
    context = RunContext(work_dir=folder / "work", cache_dir=folder / "cache", fraction=FRACTION, seed=1)
    result = TASKS.get(protocol.task)().run(backbone, data, protocol, context)
    return {
        "metrics": {key: value for key, value in result.metrics.items() if key not in TIMED},
        "predictions": {
            key: summary(np.asarray(result.predictions[key])) for key in KEPT if key in result.predictions
        },
        "sizes": {key: result.split[key] for key in ("train", "valid", "test") if key in result.split},
        "loss": [entry["loss"] for entry in result.history if "loss" in entry],
        "trivial": {name: dict(values) for name, values in result.trivial.items()},
    }


def parts(name: str) -> tuple[str, ...]:
    """The task, then all that its key holds."""
    protocol = protocols.load(*RUNS[name][:2])
    task = TASKS.get(protocol.task)()
    further = [f"metric {metric}" for metric in protocol.metrics if metric not in TIMED]
    further += [f"corruption {corruption}" for corruption in protocol.options.get("corruptions", ())]
    if protocol.task == "classification":
        further.append("metric classes_left_out")  # which it adds by itself
    if protocol.options.get("prompts"):
        further.append(f"prompts {protocol.options['prompts']}")
    return (f"task {protocol.task}", *task.machinery, *further)


CASES = [Case(name, parts(name), partial(run, name), rtol=TRAINED, atol=TRAINED) for name in RUNS]
