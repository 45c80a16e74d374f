"""A released checkpoint as a row of a suite: text tasks only where its text encoder can be used."""

import fake_parts
import pytest
from released_files import light, write, write_vocabulary

from prior_bench.errors import ErrorList
from prior_bench.suites.plan import NO_TEXT, expand
from prior_bench.suites.suite import Suite


@pytest.fixture
def suite_of(tmp_path, monkeypatch):
    """A suite of one image task and one text task over such rows."""
    fake_parts.register()
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    (tmp_path / "data/fake").mkdir(parents=True)
    evaluations = [
        dict(task="fake", data="fake", protocol="fake/plain"),
        dict(task="fake_text", data="fake", protocol="fake/text"),
    ]
    return lambda *rows: Suite("s", list(rows), evaluations, [0], where="test")


def row(name, path, **more):
    return dict(name=name, type="checkpoint", path=str(path), **more)


def test_text_tasks_are_planned_where_there_is_a_text_encoder(tmp_path, suite_of):
    gloria = write(tmp_path, "gloria_resnet50", light("gloria_resnet50"))
    prior = write(tmp_path, "prior_image_encoder_only", light("prior_image_encoder_only"))
    vocabulary = str(write_vocabulary(tmp_path))
    plan = expand(
        suite_of(
            row("GLoRIA (released)", gloria, tokenizer=vocabulary),
            row("GLoRIA, no tokenizer", gloria),
            row("PRIOR (image encoder)", prior),
        )
    )
    reasons = {(run.spec.backbone["name"], run.spec.task): run.reason for run in plan.runs}
    assert [run.reason for run in plan.runs if run.spec.task == "fake"] == ["", "", ""]
    assert reasons["GLoRIA (released)", "fake_text"] == ""
    assert reasons["PRIOR (image encoder)", "fake_text"] == NO_TEXT
    told = reasons["GLoRIA, no tokenizer", "fake_text"]
    assert told.startswith("no tokenizer for the text encoder of GLoRIA, ResNet-50: give --tokenizer PATH")
    keys = {run.key for run in plan.runnable()}
    assert len(keys) == 4 and all(keys)


def test_a_spoiled_file_is_told_before_anything_is_run(tmp_path, suite_of):
    tensors = light("gloria_resnet50")
    del tensors["gloria.img_encoder.model.bn1.weight"]
    path = write(tmp_path, "gloria_resnet50", tensors)
    with pytest.raises(
        ErrorList, match=r"nothing was run:\n.*missing gloria\.img_encoder\.model\.bn1\.weight"
    ):
        expand(suite_of(row("GLoRIA", path)))


def test_unknown_arguments_of_a_row_are_told(tmp_path, suite_of):
    path = write(tmp_path, "gloria_resnet50", light("gloria_resnet50"))
    with pytest.raises(ErrorList, match="did you mean tokenizer"):
        expand(suite_of(row("GLoRIA", path, tokeniser="vocab.txt")))
