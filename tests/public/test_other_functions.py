"""``open_dataset``, ``load_backbone``, ``table``, ``compare``, ``available``: what they give and refuse."""

from pathlib import Path

import pytest
import torch
from tiny_data import CLASSES

import prior_bench as pb
from prior_bench.api.encoders import require_encoder
from prior_bench.store.store import Store

SMALL = dict(type="random", image_encoder=dict(model_name="resnet18", in_channels=1, input=dict(size=32)))


def test_open_dataset_takes_a_file_labels_and_options_of_the_reader(my_csv):
    data = pb.open_dataset(my_csv)
    assert data.labels == CLASSES and len(data.split("test")) == 12
    assert pb.open_dataset(Path(my_csv), labels=["Edema"]).labels == ("Edema",)
    with pytest.raises(pb.BenchError, match="mising"):
        pb.open_dataset(my_csv, mising="skip")
    with pytest.raises(pb.BenchError, match="by_moon"):
        pb.open_dataset(my_csv, split="by_moon")
    Path("000.png").unlink()
    assert len(pb.open_dataset(my_csv, missing="skip")) == 59


def test_load_backbone_gives_weights_that_depend_on_the_seed_alone():
    first, again, other = (pb.load_backbone(SMALL, seed=seed, device="cpu") for seed in (0, 0, 1))
    require_encoder(first.image_encoder, "random")
    weights = [next(one.image_encoder.parameters()) for one in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert first.method is None and first.input.size == 32 and not first.image_encoder.training
    assert first.identity == again.identity != other.identity


def test_load_backbone_refuses_what_is_not_there():
    with pytest.raises(pb.BenchError, match="unknown backbone 'resnet51'"):
        pb.load_backbone("resnet51")
    with pytest.raises(pb.BenchError, match="resnet51"):
        pb.load_backbone("random:resnet51")
    with pytest.raises(pb.BenchError, match="only a checkpoint file can have a tokenizer"):
        pb.load_backbone("random:resnet18", tokenizer="vocab.txt")


def test_a_loaded_backbone_brings_along_whose_patients_it_has_seen(parts, monkeypatch):
    from prior_bench.backbones.given import GivenModel
    from prior_bench.backbones.random import RandomInit

    seen = [{"dataset": "fake", "split_rule": "default", "splits": ("train",)}]
    monkeypatch.setattr(RandomInit, "training_data", lambda self: seen, raising=False)
    backbone = pb.load_backbone(SMALL, device="cpu")
    assert GivenModel(backbone).training_data()[0]["dataset"] == "fake"


@pytest.fixture
def two_runs(tmp_path):
    (tmp_path / "data/fake").mkdir(parents=True)
    how = dict(protocol="fake/plain", device="cpu")
    return [
        pb.evaluate({"name": name, "type": "fake", "value": value}, "fake", "fake", **how)
        for name, value in (("low", 1.0), ("high", 3.0))
    ]


def test_what_a_task_reports_beyond_its_protocol_is_not_compared(two_runs):
    for run in two_runs:
        run.record.metrics["images_left_out"] = 1.0  # it cannot be resampled
    assert list(pb.compare(*two_runs).index) == ["auroc"]


def test_compare_takes_results_and_keys(two_runs):
    low, high = two_runs
    table = pb.compare(low, high)
    assert list(table.index) == ["auroc"]
    assert table.loc["auroc", "difference"] == pytest.approx(high.metrics["auroc"] - low.metrics["auroc"])
    assert table.loc["auroc", "verdict"].startswith("better")
    assert pb.compare(high.record.key, low.record.key).loc["auroc", "verdict"].startswith("worse")
    for wrong in (3, pb.Results([low])):
        with pytest.raises(pb.BenchError):
            pb.compare(low, wrong)


def test_a_table_of_all_stores_is_a_leaderboard(two_runs):
    board = pb.table(test=False)
    assert [row.label for row in board.filled.rows] == ["high", "low"]
    assert "| high" in str(board) and "<table" in board._repr_html_()
    assert board.render("csv").startswith("backbone,")
    assert set(board.frame()["backbone"]) == {"low", "high"}
    with pytest.raises(pb.BenchError, match="unknown table format 'pdf'"):
        board.render("pdf")


TABLE = """
title = "Mine"
suite = "eval"
rows = ["low", "high"]
columns = [dict(group="G", label="L", task="fake", data="fake", protocol="fake/plain", metric="auroc")]
"""


def test_a_table_config_is_filled_from_the_stores_that_are_named(two_runs, tmp_path):
    (tmp_path / "mine.py").write_text(TABLE)
    means = pb.table("mine.py", test=False).frame()["mean"]
    assert list(means) == pytest.approx([100 * run.metrics["auroc"] for run in two_runs])
    for stores in (tmp_path / "results/eval", [Store(tmp_path / "results/eval")], "eval"):
        assert list(pb.table("mine.py", stores=stores, test=False).frame()["mean"]) == list(means)
    empty = pb.table("mine.py", stores=tmp_path / "empty", test=False).frame()
    assert empty["mean"].isna().all()


def test_arguments_that_exclude_one_another_are_refused(two_runs):
    with pytest.raises(pb.BenchError, match="a leaderboard takes none of these"):
        pb.table(trivial=True)
    with pytest.raises(pb.BenchError, match="published numbers do not apply to other data"):
        pb.table("demo", data="sample", published="beside")


def test_available_names_things_and_their_origin():
    assert pb.available("tasks")["zero_shot"].startswith("tasks.zero_shot:ZeroShot")
    assert pb.available("tables")["demo"].endswith("demo.py")
    assert "convirt_sample" in pb.available("pretraining")
    with pytest.raises(pb.BenchError, match="unknown kind 'task'"):
        pb.available("task")


def test_protocols_are_listed_by_task():
    assert "clean/retrieval" in pb.list_protocols("retrieval")
    assert "clean/linear_probe" not in pb.list_protocols("retrieval")
    assert set(pb.list_protocols("retrieval")) < set(pb.list_protocols())
    with pytest.raises(pb.BenchError, match="unknown task 'retrievel'"):
        pb.list_protocols("retrievel")


def test_pretrain_hands_its_arguments_on(monkeypatch, tmp_path):
    calls = []

    def train(config, folder, seed, device, **how):
        calls.append((config().schedule.epochs, folder(), seed, device, how))
        return folder() / "model.safetensors"

    monkeypatch.setattr("prior_bench.public.pretraining.train", train)
    changes = {"schedule.epochs": 3}
    how = dict(seed=2, device="cpu", folder="here", resume=False, threads=3, deterministic=True)
    path = pb.pretrain("convirt_sample", overrides=changes, **how)
    assert path == Path("here/model.safetensors")
    how = dict(resume=False, workers=0, threads=3, deterministic=True, slurm=True)
    assert calls == [(3, Path("here"), 2, "cpu", how)]
    with pytest.raises(pb.BenchError, match="convirt_sampel"):
        pb.pretrain("convirt_sampel")
