"""The smallest benchmark that goes through everything: two dozen images with reports, and tiny encoders."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

SUITE = """
name = "tiny"
seeds = [0, 1]
threads = 1
backbones = [
    dict(name="Random", type="random", config={config!r}),
    dict(name="Blind", type="random", image_encoder={encoder!r}),
]
evaluations = [
    dict(task="classification", data={table!r}, protocol="demo/linear_probe"),
    dict(task="retrieval", data={table!r}, protocol="demo/retrieval"),
]
"""
ENCODER = dict(
    model_name="resnet18",
    in_channels=1,
    input=dict(size=32),
    model_args=dict(channels=(4, 4, 8, 8), stem_width=8, zero_init_last=False),
)
METHOD = dict(
    type="convirt",
    image_encoder=ENCODER,
    text_encoder=dict(
        config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32),
        max_tokens=32,
    ),
    embed_dim=8,
)
VOLATILE = ("runs.log",)
"""Files that differ between two runs of the same command, by name."""
LOG_OF_A_COMMAND = ".jsonl"
"""End of the names of files that each command adds one of."""


class World:
    """Inputs that nothing changes, in one folder.

    Attributes:
        table: the data set's CSV file.
        suite, config: files of a suite and of a pre-training config.
    """

    def __init__(self, folder: Path):
        from tiny_data import tiny_manifest

        folder.mkdir(parents=True)
        images = folder / "images"
        images.mkdir()
        frame = tiny_manifest(images, images=24, size=32).table
        frame["report"] = frame["report"].map(" ".join)
        columns = ["image", "patient_id", "study_id", "split", "report", "Edema", "Pleural Effusion"]
        self.table = images / "mine.csv"
        frame[columns].to_csv(self.table, index=False)
        self.config = folder / "small.py"
        values = dict(
            method=METHOD,
            vocab_size=120,
            data=dict(dataset=str(self.table), text="shuffled_sentences"),
            batch_size=8,
            optimizer=dict(lr=1e-3),
            schedule=dict(epochs=2),
            name="small",
        )
        self.config.write_text("".join(f"{name} = {value!r}\n" for name, value in values.items()), "utf-8")
        self.suite = folder / "tiny.py"
        text = SUITE.format(config=str(self.config), encoder=ENCODER, table=str(self.table))
        self.suite.write_text(text, "utf-8")
        self.fake = fake_suite(folder)

    def commands(self, folder: Path) -> dict[str, list[str]]:
        """Return the commands of the campaign by name, in an order in which they can be run in ``folder``."""
        table, fake = str(self.table), str(self.fake)
        (folder / "data/fake").mkdir(parents=True, exist_ok=True)
        backbone = f"random:{self.config}"
        own = ["--backbone", backbone, "--data", table]
        return {
            "run": ["run", fake],
            "run --jobs 2": ["run", fake, "--jobs", "2"],
            "pretrain": ["pretrain", str(self.config), "--device", "cpu"],
            "data prepare": ["data", "prepare", table],
            "data cache": ["data", "cache", table, "--size", "16", "--workers", "1"],
            "report": ["report", fake],
            "results export": ["results", "export", "tiny", "--output", "all.zip"],
            "results import": ["results", "import", "all.zip", "--suite", "other"],
            "eval": ["eval", "retrieval", *own],
        }


def fake_suite(folder: Path) -> Path:
    """Write a suite of the parts that only stand in for real ones: five cells, and no second of computing."""
    text = """
name = "tiny"
seeds = [0, 1]
threads = 1
backbones = [dict(name="Low", type="fake"), dict(name="High", type="fake", value=2.0)]
evaluations = [dict(task="fake", data="fake", protocol="fake/plain")]
"""
    path = folder / "fake.py"
    path.write_text(text, "utf-8")
    return path


def roots(folder: Path) -> dict[str, str]:
    """Return the environment for a command whose data, results and cache are below a folder."""
    places = {f"PRIOR_BENCH_{name.upper()}": str(folder / name) for name in ("data", "results", "cache")}
    return {**places, "PRIOR_BENCH_SAMPLE_SIZE": "tiny", "PRIOR_BENCH_PROGRESS": ""}


def fresh(folder: Path, like: Path | None = None) -> Path:
    """Return an empty folder, or a copy of another one, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    if like:
        shutil.copytree(like, folder)
    else:
        folder.mkdir(parents=True)
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, by relative path, except volatile ones and locks."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (*VOLATILE, ".lock") and path.suffix != LOG_OF_A_COMMAND
    }


def finished(store: Path) -> dict[str, str]:
    """Return the hash of every file of the runs that are done."""
    done = {}
    for record in store.glob("runs/*/record.json"):
        if not record.parent.name.startswith(".") and json.loads(record.read_text())["status"] == "done":
            done |= {f"{record.parent.name}/{k}": v for k, v in contents(record.parent).items()}
    return done


def numbers(store: Path) -> dict[str, object]:
    """Return what was measured, by key: metrics and splits of the readable records."""
    found = {}
    for record in store.glob("runs/*/record.json"):
        values = json.loads(record.read_text("utf-8"))
        found[values["key"]] = [values["status"], values["metrics"], values["split"]]
    return found


def strays(folder: Path) -> list[str]:
    """Return the unfinished files of writers below a folder."""
    return [
        path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob(".*"))
        if path.suffix in (".part", ".old")
    ]
