"""Evaluations of the file that ``embed`` writes give the numbers of the backbone itself."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_data import CLASSES
from tiny_methods import build

import prior_bench as pb
from prior_bench.backbones import embed as embed_module
from prior_bench.backbones.embedding_formats import read_embeddings, write_embeddings
from prior_bench.backbones.stored_embeddings import StoredEmbeddings
from prior_bench.cli import main
from prior_bench.mock import MockMethod, mock_backbone
from prior_bench.schema.overrides import DELETE

PROMPTS = {
    "Edema": {"positive": ["There is edema.", "Edema."], "negative": ["There is no edema."]},
    "Pleural Effusion": {"positive": ["There is pleural effusion."], "negative": ["No effusion."]},
}
TASKS = {
    "classification": "clean/linear_probe",
    "zero_shot": "clean/zero_shot",
    "retrieval": "clean/retrieval",
}


LESS = {"classification": {"fraction": 0.5, "seed": 3}}
"""A part of the labels, so that the rows of training are compared too."""


class Scaled(MockMethod):
    """Scores with a scale and a bias, as of SigLIP."""

    def similarity(self, image, text):
        return 12.0 * super().similarity(image, text) - 3.0


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Scaled()


def evaluated(model, data, task, **further):
    prompts = {"prompts": PROMPTS} if task == "zero_shot" else {}
    return pb.evaluate(model, task, data, store=None, device="cpu", **prompts, **further)


def write(model, data, file, **further):
    return pb.embed(
        model, data, file, protocols=list(TASKS.values()), prompts=[PROMPTS], device="cpu", **further
    )


@pytest.mark.parametrize("task", TASKS)
def test_numbers_are_those_of_the_backbone_in_any_order(my_csv, model, task):
    write(model, my_csv, "e.npz")
    stored = read_embeddings("e.npz")
    moved = np.random.default_rng(0).permutation(len(stored.ids))
    rows = {name: getattr(stored, name)[moved] for name in ("ids", "vectors", "joint", "sizes")}
    texts = {name: getattr(stored, name)[::-1] for name in ("texts", "text_vectors")}
    write_embeddings("moved.npz", StoredEmbeddings(**rows, **texts, scale=stored.scale, bias=stored.bias))
    own = evaluated(model, my_csv, task, **LESS.get(task, {}))
    for what in ("embeddings:moved.npz", pb.load_backbone("embeddings:e.npz")):
        found = evaluated(what, my_csv, task, **LESS.get(task, {}))
        assert found.metrics == pytest.approx(own.metrics, abs=1e-5, nan_ok=True)
        for name in ("score", "prompt_score", "image_to_text_rank", "text_to_image_rank", "top_texts"):
            if name in own.predictions:
                assert found.predictions[name] == pytest.approx(own.predictions[name], abs=1e-4)


def test_scale_bias_and_sizes_are_written_in_both_formats(my_csv, model, tmp_path):
    for file in ("e.npz", "e.parquet"):
        assert write(model, my_csv, file).name == file
    first, second = read_embeddings("e.npz"), read_embeddings("e.parquet")
    assert (first.scale, first.bias) == pytest.approx((12, -3), rel=1e-4)
    assert first.content == second.content and first.joint is not None
    assert first.sizes.tolist() == [(tmp_path / name).stat().st_size for name in first.ids]
    assert np.array_equal(first.sizes, second.sizes) and first.about == second.about


def test_vectors_of_other_images_give_other_numbers(my_csv, model):
    write(model, my_csv, "e.npz")
    stored = read_embeddings("e.npz")
    swapped = StoredEmbeddings(
        ids=np.roll(stored.ids, 1),
        vectors=stored.vectors,
        joint=stored.joint,
        texts=stored.texts,
        text_vectors=stored.text_vectors,
    )
    write_embeddings("swapped.npz", swapped)
    for task in TASKS:
        own = evaluated("embeddings:e.npz", my_csv, task).metrics
        assert own != pytest.approx(evaluated("embeddings:swapped.npz", my_csv, task).metrics, abs=1e-3)


def test_without_a_protocol_all_images_and_test_reports_are_embedded(my_csv, model):
    pb.embed(model, my_csv, "e.npz", device="cpu")
    stored, table = read_embeddings("e.npz"), pd.read_csv(my_csv)
    assert stored.ids.tolist() == table["image"].tolist()
    assert set(stored.texts) == set(table.loc[table["split"] == "test", "report"])
    assert evaluated("embeddings:e.npz", my_csv, "retrieval").metrics["median_rank"] >= 1
    with pytest.raises(pb.BenchError, match="5 of 5 texts have no vector: 'There is e.*\n.*--prompts FILE"):
        evaluated("embeddings:e.npz", my_csv, "zero_shot")
    with pytest.raises(pb.BenchError, match="e.npz: already exists"):
        pb.embed(model, my_csv, "e.npz", device="cpu")
    with pytest.raises(pb.BenchError, match="is a file of embeddings already"):
        pb.embed("embeddings:e.npz", my_csv, "f.npz", device="cpu")


def test_an_image_encoder_alone_has_vectors_for_a_probe(my_csv, model):
    said = []
    pb.embed(model.image_encoder, my_csv, "quiet.npz", device="cpu", say=said.append)
    assert said == []
    pb.embed(
        model.image_encoder, my_csv, "e.npz", protocols=["clean/retrieval"], device="cpu", say=said.append
    )
    assert said == ["texts left out: the backbone has no text encoder"]
    own = evaluated(model.image_encoder, my_csv, "classification").metrics
    found = evaluated("embeddings:quiet.npz", my_csv, "classification").metrics
    assert found == pytest.approx(own, abs=1e-5, nan_ok=True)
    with pytest.raises(pb.BenchError, match="no vectors of texts"):
        evaluated("embeddings:quiet.npz", my_csv, "retrieval")


def test_a_small_model_computes_with_one_thread_as_in_an_evaluation(my_csv, model, monkeypatch):
    compute, seen = embed_module.compute_embeddings, []

    def noted(*given):
        seen.append(torch.get_num_threads())
        return compute(*given)

    monkeypatch.setattr(embed_module, "compute_embeddings", noted)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        pb.embed(model, my_csv, "e.npz", device="cpu")
        assert seen == [1] and torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_texts_of_a_method_with_other_scores_are_left_out(my_csv):
    said = []
    pb.embed(build("gloria").eval(), my_csv, "e.npz", device="cpu", say=said.append)
    assert len(said) == 1 and "not a cosine" in said[0]
    assert read_embeddings("e.npz").text_vectors is None


def test_a_report_divided_in_two_ways_is_refused_where_the_vectors_differ():
    from prior_bench.backbones.embed import _once_each

    texts = [("A. B.",), ("A.", "B."), ("C.",)]
    vectors = np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]], np.float32)
    keys, found = _once_each(texts, vectors)
    assert keys.tolist() == ["A. B.", "C."] and np.array_equal(found, vectors[[0, 2]])
    vectors[1] += 1
    with pytest.raises(pb.BenchError, match="'A. B.': a text has different vectors"):
        _once_each(texts, vectors)


@pytest.mark.parametrize(
    ("task", "further", "reason"),
    [
        ("classification", dict(protocol="clean/finetune"), "the backbone is trained"),
        ("classification", dict(protocol="clean/linear_probe_corrupted"), "corrupted images"),
        ("classification", dict(protocol="laptop/linear_probe"), "the protocol changes the input"),
        ("zero_shot", dict(protocol="clean/zero_shot_corrupted"), "corrupted images"),
        ("retrieval", dict(overrides={"transform.eval": {"Resize": {"size": 80}}}), "changes the input"),
        ("throughput", {}, "needs the images"),
    ],
)
def test_what_needs_the_images_is_refused(my_csv, model, task, further, reason):
    write(model, my_csv, "e.npz")
    for what in ("embeddings:e.npz", pb.load_backbone("embeddings:e.npz")):
        with pytest.raises(pb.BenchError, match=f"not with stored embeddings: .*{reason}"):
            evaluated(what, my_csv, task, **further)
    if "protocol" in further:
        with pytest.raises(pb.BenchError, match=f"embeddings are not enough: .*{reason}"):
            pb.embed(model, my_csv, "f.npz", protocols=[further["protocol"]])


def test_a_head_trained_by_gradient_needs_only_the_vectors_of_images_that_are_not_augmented(my_csv, model):
    write(model, my_csv, "e.npz")
    frozen = {
        "protocol": "clean/finetune",
        "overrides": {
            "frozen": {"backbone": True, "batch_norm": True},
            "stopping.epochs": 2,
            "stopping.patience": None,
        },
    }
    with pytest.raises(pb.BenchError, match="not with stored embeddings: training images are augmented"):
        evaluated("embeddings:e.npz", my_csv, "classification", **frozen)
    frozen["overrides"]["transform.train"] = {DELETE: True}
    own = evaluated(model, my_csv, "classification", **frozen)
    found = evaluated("embeddings:e.npz", my_csv, "classification", **frozen)
    assert found.predictions["score"] == pytest.approx(own.predictions["score"], abs=1e-5)


def test_features_refuse_a_feed_that_changes_the_images(my_csv, model, context):
    from prior_bench.data.images.corruptions import Condition
    from prior_bench.features.extract import Feed, extract
    from prior_bench.features.similarity import similarity_matrix

    write(model, my_csv, "e.npz")
    backbone, data = pb.load_backbone("embeddings:e.npz"), pb.open_dataset(my_csv)
    plain = Feed(backbone.input, {})
    assert extract(backbone, data, context, feed=plain).shape == (60, 32)
    for feed in (plain._replace(condition=Condition("blur", 1)), plain._replace(steps={"Resize": 80})):
        with pytest.raises(pb.BenchError, match="of images as they are"):
            extract(backbone, data, context, feed=feed)
        with pytest.raises(pb.BenchError, match="of images as they are"):
            similarity_matrix(backbone, data, [("Edema.",)], context, feed)


def test_the_lists_name_exactly_what_is_needed(my_csv, model, capsys, tmp_path):
    (tmp_path / "prompts.json").write_text(json.dumps(PROMPTS))
    asked = ["--data", my_csv, "--prompts", "prompts.json"]
    for protocol in TASKS.values():
        asked += ["--protocol", protocol]
    assert main(["embed", "--list", "ids", *asked]) == 0
    ids = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["embed", "--list", "texts", *asked, "-o", "texts.jsonl"]) == 0
    assert "17 texts" in capsys.readouterr().out
    texts = [json.loads(line)["text"] for line in (tmp_path / "texts.jsonl").read_text("utf-8").splitlines()]
    assert all((tmp_path / one["image"]).stat().st_size == one["size"] for one in ids)
    write(model, my_csv, "e.npz")
    stored = read_embeddings("e.npz")
    assert [one["id"] for one in ids] == stored.ids.tolist()
    assert texts == stored.texts.tolist() and len(texts) == 12 + 5
    assert main(["embed", "--list", "ids", "--data", my_csv, "--protocol", "clean/retrieval"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12, "of a protocol for the test split, no others"
    assert main(["embed", "x", "--list", "ids", "--data", my_csv]) == 1
    assert main(["embed", "--data", my_csv]) == 1
    assert "needs no backbone" in (said := capsys.readouterr().err) and "BACKBONE is missing" in said


def test_a_suite_shows_what_a_file_cannot_do(my_csv, model, tmp_path, capsys):
    write(model, my_csv, "e.npz")
    other = pd.read_csv(my_csv).assign(id=lambda t: "other" + t["image"])
    other.to_csv("other.csv", index=False)
    (tmp_path / "mine.py").write_text(
        f"""
backbones = [
    dict(name="Mine", type="embeddings", file="e.npz"),
    dict(name="Absent", type="embeddings", file="absent.npz"),
]
evaluations = [
    dict(task="classification", data="{my_csv}", protocol="clean/linear_probe"),
    dict(task="classification", data="{my_csv}", protocol="clean/finetune"),
    dict(task="retrieval", data="{my_csv}", protocol="clean/retrieval"),
    dict(
        task="retrieval",
        data=dict(type="csv", root="other.csv", labels=["{CLASSES[0]}"]),
        protocol="clean/retrieval",
    ),
]
seeds = [0, 1]
"""
    )
    assert main(["run", "mine.py", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert out.count("\nto do") + out.startswith("to do") == 4
    assert out.count("not with stored embeddings: the backbone is trained") == 2
    assert out.count("embeddings not there") == 2 and out.count("12 of 12 images have no vector") == 1
    listing = f"--list ids --data other.csv --protocol clean/retrieval --label {CLASSES[0]}"
    assert out.count("weights not there") == 8 and "the weights of Absent are not there" in out
    assert listing in out and "16 cells: 0 done, 4 to do, 12 cannot be run" in out
    assert main(["run", "mine.py"]) == 1
    assert "absent.npz: no such file of embeddings" in capsys.readouterr().err
    assert main(["run", "mine.py", "--only", "backbone=Mine"]) == 1
    said = capsys.readouterr().err
    assert "1 problem(s), nothing was run" in said and listing in said


def test_patients_of_the_pretraining_are_remembered(my_csv, model):
    backbone = mock_backbone()
    exposure = {"training_data": [{"dataset": my_csv, "split_rule": "default", "splits": ["train", "test"]}]}
    backbone.provenance["exposure"] = exposure
    pb.embed(backbone, my_csv, "e.npz", device="cpu")
    with pytest.raises(pb.BenchError, match="6 of 6 test patients were seen in pre-training"):
        evaluated("embeddings:e.npz", my_csv, "classification")
    for what in ("embeddings:e.npz", pb.load_backbone("embeddings:e.npz")):
        assert evaluated(what, my_csv, "classification", allow_leakage=True).record.provenance["leakage"]
