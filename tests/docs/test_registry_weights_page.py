"""docs/registry_weights.md: its suite is valid, reads the files as they are, and runs on real radiographs."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import torch
from known_files import filed_lite, lite, shaken

from prior_bench.api import InputSpec
from prior_bench.checkpoints.layouts import layout_named
from prior_bench.cli import main
from prior_bench.schema.errors import checked
from prior_bench.schema.suite import SuiteConfig

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/registry_weights.md").read_text("utf-8")
SUITE = next(block for kind, block in re.findall(r"```(\w+)\n(.*?)```", TEXT, re.S) if kind == "python")


def values():
    found: dict = {}
    exec(SUITE, found)
    return found


def test_the_suite_is_valid():
    own = {key: value for key, value in values().items() if not key.startswith("_")}
    checked(SuiteConfig, own)


@pytest.mark.parametrize("number", [0, 1])
def test_a_random_row_differs_from_its_trained_one_in_the_weights_alone(number):
    rows = {row["name"]: row for row in values()["backbones"]}
    untrained = rows[f"Random, Lite{number}"]["image_encoder"]
    trained = layout_named(f"EfficientNet-Lite{number}, ImageNet").image_encoder
    assert untrained["model_name"] == trained["model_name"]
    assert InputSpec(**untrained["input"]) == InputSpec(**trained["input"])


@pytest.mark.slow
def test_the_suite_runs_on_the_films_of_the_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "CACHE", "RESULTS"):
        monkeypatch.delenv(f"PRIOR_BENCH_{name}", raising=False)
    shutil.copytree(ROOT / "tests/data/hannover_cxr", "hannover")
    films = pd.read_csv("hannover/metadata.csv")
    # 12 films of 7 patients: with these parts, each has both sexes and both projections
    parts = {"024e7871": "valid", "04a33bab": "valid", "1c642000": "test", "2d1f1ee8": "test"}
    films.assign(split=films["patient_id"].map(lambda one: parts.get(one, "train"))).to_csv(
        "hannover/metadata.csv", index=False
    )
    for number in (0, 1):
        torch.save(filed_lite(shaken(lite(number))), f"lite{number}.pth")
    Path("real.py").write_text(SUITE.replace("seeds = [0, 1, 2]", "seeds = [0]"), "utf-8")
    assert main(["run", "real.py", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    assert "8 run, 0 already done, 0 failed" in said
    for name in ("Random, Lite0", "ImageNet, Lite0", "Random, Lite1", "ImageNet, Lite1"):
        assert len(re.findall(rf"\| {name} +\| +(?:<u>)?\d+\.\d", said)) == 2
