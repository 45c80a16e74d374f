"""Hostile names in all that is shown: ``python injections.py FOLDER FIRST COUNT``.

A seed puts names of :mod:`hostile_text` into a table of data, into records, into a weights file or into an
archive, and calls the verbs that show them. Nothing of a name acts: on the terminal, in CSV, Markdown, HTML
or LaTeX.
"""

import json
import os
import random
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import numpy as np
import torch
from commands import called
from hostile_text import (
    hostile,
    wrong_in_csv,
    wrong_in_latex,
    wrong_in_markdown,
    wrong_in_page,
)
from scored_store import save
from seeds import Attempt, Tried, campaign
from writers import write_png

from prior_bench.api import RunRecord
from prior_bench.store.store import Store

IMAGES = 8


def checked(text: str, check, *more) -> None:
    """Assert that a check finds nothing."""
    wrong = check(text, *more)
    assert not wrong, f"{check.__name__}: {wrong}"


def table_of_data(luck: random.Random, place: Path) -> bool:
    """Column names, classes, reports and ids of a CSV file, in the check and its page."""
    names = [hostile(luck) for _ in range(3)]
    header = ["image", "patient_id", "split", *names, "report"]
    rows = [
        [f"img/{n}.png", luck.choice([f"p{n}", hostile(luck)]), "train test valid".split()[n % 3]]
        + [str(n % 2), str(n // 2 % 2), luck.choice([hostile(luck), "a"]), hostile(luck)]
        for n in range(IMAGES)
    ]
    if luck.random() < 0.3:
        rows[2][0] = hostile(luck)
    if luck.random() < 0.2:
        rows[3].append(hostile(luck))
    import csv

    with (place / "my.csv").open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows([header, *rows])
    shutil.copytree(place.parent / "images", place / "img")
    page = place / "page.html"
    status, _, said = called("data", "check", place / "my.csv", "--report", page)
    if page.exists():
        checked(page.read_text("utf-8"), wrong_in_page)
    status, text, _ = called("data", "check", place / "my.csv", "--json")
    if text:
        json.loads(text)
    return not page.exists()


def records(luck: random.Random, place: Path) -> bool:
    """Rows, data sets, protocols, classes, errors and provenance of records, in all that reads a store."""
    names = list(dict.fromkeys(hostile(luck) for _ in range(3)))
    store = Store.of("hostile")
    metrics, data, label = hostile(luck), hostile(luck), hostile(luck)
    runs = []
    for number, name in enumerate(names):
        made = save(store, f"r{number}", 1.0 + number, patients=20)
        record = made.record
        record.spec["backbone"]["name"] = name
        record.spec["data"]["name"] = data
        if luck.random() < 0.5:
            record.spec["protocol"]["name"] = label
        if luck.random() < 0.3:
            record.metrics[metrics] = 0.5
        record.provenance |= {
            "command": hostile(luck),
            "wall_seconds": 1.0,
            "hardware": {"cpu": hostile(luck)},
        }
        record.provenance |= {"warnings": [hostile(luck)], "backbone": {"path": hostile(luck)}}
        if number == 2 and luck.random() < 0.5:
            record = RunRecord(made.key, "failed", record.spec, error=hostile(luck))
        store.save(record)
        runs.append({"spec": record.spec, "key": made.key, "reason": ""})
    store.save_plan([*runs, {"spec": {**runs[0]["spec"], "seed": 7}, "key": "", "reason": hostile(luck)}])
    checks = dict(
        markdown=wrong_in_markdown, csv=wrong_in_csv, latex=wrong_in_latex, html=None, json=json.loads
    )
    done = []
    for style, check in checks.items():
        status, text, _ = called(
            "table", "--leaderboard", "--suite", "hostile", "--format", style, "--no-test"
        )
        done.append(status)
        if text and style == "html":
            checked(text, wrong_in_page, 0)
        elif text and style == "json":
            json.loads(text)
        elif text:
            checked(text, check)
    called("show", "hostile/r0-0"), called("show", "hostile/r0-0", "--json")
    called("compare", "hostile/r0-0", "hostile/r1-0"), called("compare", "hostile", "hostile")
    suite = place / "hostile.py"
    suite.write_text(
        f"title = {hostile(luck)!r}\nbackbones = [dict(name={names[0]!r}, type='random')]\n"
        "evaluations = [dict(task='classification', data='sample:chexpert', protocol='demo/linear_probe')]\n"
    )
    page = place / "page.html"
    called("report", suite, "--output", page)
    if page.exists():
        checked(page.read_text("utf-8"), wrong_in_page)
    return 0 not in done


def weights(luck: random.Random, place: Path) -> bool:
    """Names of tensors, keys and metadata of a weights file, in what inspect prints."""
    from safetensors.torch import save_file

    model = {hostile(luck).replace("\0", ""): torch.zeros(2, 3) for _ in range(4)}
    if luck.random() < 0.5:
        from torchvision.models import resnet18

        model |= resnet18().state_dict()
    path = place / luck.choice(["w.safetensors", "w.pth", "w.ckpt"])
    if path.suffix == ".safetensors":
        save_file(model, path, {hostile(luck): hostile(luck)})
    else:
        torch.save({"state_dict": model, hostile(luck): hostile(luck), "epoch": 1}, path)
    status, *_ = called("checkpoint", "inspect", path)
    called("checkpoint", "inspect", path, "--all")
    return status != 0


def typed(luck: random.Random, place: Path) -> bool:
    """Names on the command line that do not exist, in the message that refuses them."""
    name = hostile(luck).replace("\0", "") or "x"
    verbs = (
        ("run", name), ("table", name), ("report", name), ("show", name), ("data", "check", name),
        ("data", "describe", name), ("eval", name, "--backbone", name, "--data", name), ("pretrain", name),
        ("checkpoint", "inspect", name), ("results", "import", name), ("compare", name, name),
        ("model", "describe", name), ("list", name), ("export", name, "-o", place / "out"),
        ("subgroups", name), ("embed", name, "--data", name, "-o", place / "out"),
    )  # fmt: skip
    status, *_ = called(*luck.choice(verbs))
    return status != 0


DOORS = (table_of_data, records, weights, typed)


def prepare(folder: Path) -> Attempt:
    """Write the images that all tables name."""
    rng = np.random.default_rng(0)
    for n in range(IMAGES):
        write_png(folder / f"images/{n}.png", rng.integers(0, 255, (32, 32), dtype=np.uint8))

    def attempt(seed: int) -> Tried:
        place, before, working = folder / f"seed{seed}", sorted(folder.iterdir()), os.getcwd()
        place.mkdir()
        os.chdir(place)
        roots = {f"PRIOR_BENCH_{root}": str(place / root.lower()) for root in ("DATA", "RESULTS", "CACHE")}
        try:
            with patch.dict(os.environ, roots):
                refused = DOORS[seed % len(DOORS)](random.Random(seed), place)
            assert not list(folder.rglob("evil")), "a command of a name was run"
        finally:
            os.chdir(working)
            shutil.rmtree(place)
        assert sorted(folder.iterdir()) == before, "files were written elsewhere"
        return Tried(refused)

    return attempt


if __name__ == "__main__":
    campaign("names that act where they are shown", prepare)
