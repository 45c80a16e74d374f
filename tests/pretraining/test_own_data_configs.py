"""The configs for pairs of one's own: both sizes of every method, and that training on a CSV works."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import prior_bench as pb
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import load_config
from prior_bench.registry import METHODS

SIZES = ("small", "laptop")
OURS = ("convirt", "gloria", "mgca", "prior")


@pytest.fixture
def pairs(tmp_path, monkeypatch):
    """Forty pairs in ``pairs.csv``, and roots of the test's own."""
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    rows = []
    for n in range(40):
        draw = np.random.default_rng(n)
        Image.fromarray(draw.integers(0, 255, (40, 40), dtype=np.uint8)).save(tmp_path / f"{n}.png")
        sentences = [f"Opacity number {n} in the lung.", f"Heart of size {n}.", f"Line {n} is in place."]
        rows.append((f"{n}.png", " ".join(sentences), f"p{n}", "train" if n < 32 else "test"))
    table = pd.DataFrame(rows, columns=["image", "report", "patient_id", "split"])
    table.to_csv(tmp_path / "pairs.csv", index=False)
    return table


@pytest.mark.parametrize("method", OURS)
def test_every_method_has_both_sizes_with_one_data_section(method):
    assert set(OURS) <= set(METHODS.names())
    small, laptop = (load_config(f"{method}_{size}") for size in SIZES)
    assert small.method["type"] == laptop.method["type"] == method
    base = load_config("convirt_small")
    for config in (small, laptop):
        assert config.data.dataset == "pairs.csv" and config.data.splits == ("train",)
        assert (
            config.data.transform == base.data.transform
            and "RandomHorizontalFlip" not in config.data.transform
        )
        assert config.batch_size == base.batch_size
    assert (
        small.method["image_encoder"]["pretrained"] is True and small.method["text_encoder"]["frozen_layers"]
    )
    assert "pretrained" not in laptop.method["image_encoder"] and "name" not in laptop.method["text_encoder"]


@pytest.mark.parametrize("method", OURS)
def test_the_number_of_updates_is_what_the_comments_say(method):
    def updates(config, pairs):
        return config.schedule.ends[-1] * (pairs // config.batch_size)

    assert 2000 <= updates(load_config(f"{method}_small"), 1000) <= 5000
    assert 300 <= updates(load_config(f"{method}_laptop"), 200) <= 500


@pytest.mark.parametrize("method", OURS)
def test_the_laptop_size_trains_on_a_csv(method, pairs, capfd):
    stages = (
        ("schedule.stages.0", "schedule.stages.1", "schedule.stages.2")
        if method == "prior"
        else ("schedule",)
    )
    short = {
        f"{stage}.{key}": value for stage in stages for key, value in (("epochs", 1), ("warmup_epochs", 0))
    }
    path = pb.pretrain(f"{method}_laptop", data="pairs.csv", device="cpu", overrides=short, folder="run")
    assert path.is_file()
    count = len(stages)
    said = f"{method}_laptop: 32 pairs of pairs, {count} epochs of 1 updates, {count} in all"
    assert said in capfd.readouterr().err


def test_data_and_options_take_the_place_of_the_configs_own(pairs, tmp_path):
    from prior_bench.checkpoints.native import read_info

    (tmp_path / "pairs.csv").rename(tmp_path / "other.csv")
    (tmp_path / "0.png").unlink()
    short = {"schedule.epochs": 1, "schedule.warmup_epochs": 0, "batch_size": 16}
    with pytest.raises(BenchError, match="0.png"):
        pb.pretrain("convirt_laptop", data="other.csv", device="cpu", overrides=short)
    path = pb.pretrain(
        "convirt_laptop", data="other.csv", reader={"missing": "skip"}, device="cpu", overrides=short
    )
    provenance = read_info(path).provenance
    assert provenance["data"]["pairs"] == 31 and provenance["data"]["name"] == "other"
    dataset = provenance["config"]["data"]["dataset"]
    assert (dataset["root"], dataset["missing"]) == ("other.csv", "skip")


def test_what_is_missing_is_said(pairs):
    with pytest.raises(BenchError, match=r"nowhere\.csv: no such file.*\n.*--data folder/images\.csv"):
        pb.pretrain("convirt_laptop", data="nowhere.csv")
    with pytest.raises(BenchError, match="options of the reader need the data"):
        pb.pretrain("convirt_laptop", reader={"missing": "skip"})
    pairs.drop(columns="report").to_csv("images.csv", index=False)
    with pytest.raises(BenchError, match="images: has no reports to pre-train on"):
        pb.pretrain("convirt_laptop", data="images.csv")
