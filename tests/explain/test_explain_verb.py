"""The verb on checkpoints of tiny methods and a data set of a few PNG files."""

import argparse
import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from tiny_data import tiny_manifest

from prior_bench.api import RunContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.native import native_backbone
from prior_bench.checkpoints.native import save_method
from prior_bench.cli import explain
from prior_bench.data.open import open_dataset
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.explain import explanation
from prior_bench.explain.contract import explainer_of
from prior_bench.explain.examples import example_arrays
from prior_bench.features.extract import Feed
from prior_bench.prior.explainer import PriorExplainer
from prior_bench.registry import METHODS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A CSV of 60 images with reports of three sentences; 36 are for training, 12 for the test."""
    folder = tmp_path_factory.mktemp("explained")
    table = tiny_manifest(folder).table
    with open(folder / "tiny.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("image", "patient_id", "study_id", "split", "report"))
        for row in table.itertuples():
            rows.writerow((row.image, row.patient_id, row.study_id, row.split, " ".join(row.report)))
    return folder / "tiny.csv"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Writes an untrained tiny method: ``checkpoint(kind, **arguments)`` gives the file."""

    def make(kind, image=(), **arguments):
        import torch

        torch.manual_seed(0)
        tokenizer = ReportTokenizer.train(
            [("There is no pleural effusion.", "edema study 0123456789")], 120, 64
        )
        text = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
        encoder = dict(model_name="resnet18", in_channels=1, input=dict(size=64))
        config = dict(
            type=kind,
            image_encoder={**encoder, "model_args": dict(channels=(8, 8, 16, 16)), **dict(image)},
            text_encoder=dict(config=text, tokenizer=tokenizer),
            **arguments,
        )
        path = tmp_path_factory.mktemp(kind) / f"{kind}.safetensors"
        return save_method(path, METHODS.build(config), config, {})

    return make


PRIOR = dict(embed_dim=32, prototypes=8, queries=4, decoder_layers=1, decoder_heads=2, stage=3)


def run(tmp_path, backbone, data, *more):
    parser = argparse.ArgumentParser()
    explain.configure(parser)
    arguments = (
        "--backbone",
        str(backbone),
        "--data",
        str(data),
        "--device",
        "cpu",
        "-o",
        str(tmp_path / "out"),
    )
    assert explain.run(parser.parse_args([*arguments, *more])) == 0
    return tmp_path / "out"


def whole(path):
    """The page's text, after checking that it loads nothing and describes every picture."""
    text = path.read_text()
    assert "<script" not in text and "http" not in text
    for link in re.findall(r'(?:src|href)="([^"]*)"', text):
        assert link.startswith("data:") or (path.parent / link).is_file(), link
    assert text.count('<svg class="radiograph" role="img"') == text.count("<title>") - 1
    assert "data:image/png;base64," in text
    return text


def test_prior_is_explained_in_full(tmp_path, data, checkpoint, capsys):
    backbone = checkpoint("prior", image=dict(pool="attention"), **PRIOR)
    out = run(tmp_path, backbone, data, "--count", "2", "--measure", "6")
    pages = sorted(out.glob("image-*.html"))
    assert len(pages) == 2 and len(list(out.iterdir())) == 4
    page, index = whole(pages[0]), whole(out / "index.html")
    for part in (
        "Written by the method",
        "Attention over the image",
        "Mean training image (chance)",
        "From masked",
    ):
        assert part in page
    assert (
        "Compared with chance" in index
        and "Sentence prototypes" in index
        and "not shown:" not in index + page
    )

    found = json.loads((out / "explanation.json").read_text())
    names = [m["name"] for m in found["measures"]]
    assert names[0].startswith("image L1, from image and report") and len(names) == 4
    for m in found["measures"]:
        assert m["images"] == 6 and m["gain_interval"][0] <= m["gain"] <= m["gain_interval"][1]
    use = found["prototypes"]
    assert use["count"] == 8 and use["sentences"] == 3 * 36
    assert use["perplexity_share"] == pytest.approx(use["perplexity"] / 8) and 1 <= use["perplexity"] <= 8
    first = found["images"][0]
    assert len(first["report"]) == 3 and 1 <= len(first["written"]) <= 3
    assert [np.shape(a["grid"]) for a in first["attention"]] == [(2, 2)] * 3
    assert set(first["image_l1"]) == {"image and report", "masked image and report", "mean training image"}
    said = capsys.readouterr().out
    assert "prototypes in use: perplexity" in said and said.rstrip().endswith("index.html")


def test_a_task_keeps_all_parts_of_prior_for_the_report(tmp_path, data, checkpoint):
    path = checkpoint("prior", image=dict(pool="attention"), **PRIOR)
    backbone, context = native_backbone("PRIOR", path, "x"), RunContext(cache_dir=tmp_path)
    test = open_dataset(str(data)).split("test")
    found = example_arrays(backbone, test, list(test.table["report"])[:10], context, Feed(backbone.input))
    assert found["example_attention"].shape == (4, 3, 2, 2)
    assert ((found["example_attention"] > 0) & (found["example_attention"] < 1)).all()  # a sigmoid's
    rows = found["example_row"].tolist()
    assert found["example_attention_text"].tolist() == [list(test.table["report"].iat[row]) for row in rows]
    assert found["example_written"].shape[0] == 4 and found["example_reconstruction"].shape == (4, 64, 64)
    share, sentences = found["meta_prototype_share"], found["meta_prototype_sentences"]
    assert 1 <= len(share) <= 8 and (np.diff(share) <= 0).all() and share.sum() == pytest.approx(1)
    assert sentences.shape == (len(share), 5) and "There is no edema." in sentences
    count, perplexity = found["meta_prototype_usage"]
    assert count == 8 and 1 <= perplexity <= len(share)


@pytest.mark.parametrize("kind, arguments", [("gloria", {}), ("mgca", dict(hidden_dim=8, prototypes=4))])
def test_methods_of_words_show_their_attention_and_say_what_they_lack(
    tmp_path, data, checkpoint, kind, arguments
):
    out = run(tmp_path, checkpoint(kind, embed_dim=16, **arguments), data, "--count", "1")
    (page,) = out.glob("image-*.html")
    text = whole(page)
    assert "This method attends word by word" in text and text.count("not shown:") == 3
    found = json.loads((out / "explanation.json").read_text())
    words = found["images"][0]["attention"][1]["words"]
    assert [w["text"] for w in words] and found["measures"] == [] and found["prototypes"] is None
    assert np.sum(words[0]["grid"]) == pytest.approx(1, abs=1e-3)


def test_a_method_that_shows_nothing_still_has_its_page(tmp_path, data, checkpoint):
    out = run(tmp_path, checkpoint("convirt", embed_dim=16), data, "--count", "1")
    assert whole(out / "index.html").count("not shown:") == 4


def test_named_images_of_any_split(tmp_path, data, checkpoint):
    backbone = checkpoint("convirt", embed_dim=16)
    ids = re.findall(r"^(\d+\.png)", data.read_text(), flags=re.MULTILINE)
    out = run(tmp_path, backbone, data, "--image", ids[0], "--image", ids[59])
    assert sorted(p.name for p in out.glob("image-*")) == [f"image-{ids[0]}.html", f"image-{ids[59]}.html"]
    out = run(tmp_path, backbone, data, "--image", ids[1])
    assert [p.name for p in out.glob("image-*")] == [f"image-{ids[1]}.html"]  # and none of the earlier ones
    with pytest.raises(BenchError, match=f"unknown sample 'nosuch'\n  fix: .* such as {ids[0]}, {ids[1]}"):
        run(tmp_path, backbone, data, "--image", "nosuch")


def test_a_named_image_must_have_a_report(tmp_path, checkpoint):
    manifest = tiny_manifest(tmp_path)
    backbone = native_backbone("ConVIRT", checkpoint("convirt", embed_dim=16), "x")
    for nothing in ((), None, float("nan")):
        manifest.table["report"] = [nothing, *manifest.table["report"][1:]]
        first = str(manifest.table["id"].iat[0])
        with pytest.raises(BenchError, match=f"the sample '{first}' has no report"):
            explanation.explain(backbone, manifest, RunContext(), ids=[first])


def test_a_single_patient_has_no_interval(tmp_path, data, checkpoint):
    backbone = checkpoint("prior", image=dict(pool="attention"), **PRIOR)
    out = run(tmp_path, backbone, data, "--count", "1", "--measure", "1")
    (measure, *_) = json.loads((out / "explanation.json").read_text(), parse_constant=pytest.fail)["measures"]
    assert measure["gain_interval"] == [None, None] and measure["verdict"] == "not tested"
    index = whole(out / "index.html")
    assert "<td>undefined</td>" in index and "<td>nan" not in index


def test_the_explainer_is_found_by_the_method_wherever_its_weights_are_from(checkpoint):
    backbone = native_backbone("PRIOR", checkpoint("prior", image=dict(pool="attention"), **PRIOR), "x")
    released = replace(backbone, provenance={"source": "released checkpoint"})
    assert isinstance(explainer_of(released, [("Clear.",)]), PriorExplainer)
    assert explainer_of(released, []) is None
    other = native_backbone("ConVIRT", checkpoint("convirt", embed_dim=16), "x")
    assert explainer_of(other, [("Clear.",)]) is None


def test_a_released_text_encoder_asks_for_its_tokenizer(tmp_path, data, checkpoint, monkeypatch):
    with pytest.raises(BenchError, match="only a checkpoint file can have a tokenizer"):
        run(tmp_path, "random:resnet18", data, "--tokenizer", "vocab.txt")
    monkeypatch.setattr(CheckpointFile, "text_problem", "no tokenizer for it: give --tokenizer PATH")
    with pytest.raises(BenchError, match="give --tokenizer PATH"):
        run(tmp_path, checkpoint("convirt", embed_dim=16), data)


def test_what_cannot_be_explained_is_said(tmp_path, data, checkpoint):
    with pytest.raises(BenchError, match="has no text encoder"):
        run(tmp_path, "random:resnet18", data)
    with pytest.raises(BenchError, match="the dev split has no report"):
        run(tmp_path, checkpoint("convirt", embed_dim=16), data, "--split", "dev")
