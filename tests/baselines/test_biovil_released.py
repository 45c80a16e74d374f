"""BioViL and BioViL-T of two files: vectors of the authors' modules, what is refused, and keys."""

import json
from dataclasses import replace

import pytest
import torch
from known_files import KNOWN, cxr_bert
from official_weights import drawn, pixels
from two_tower_files import SMALL, WORDS, golden, small_bert, texts, write_cxr_bert, write_small_vocabulary

from baselines.biovil_released import ReleasedBioViL, layouts
from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.convert import convert
from prior_bench.backbones.describe import describe
from prior_bench.backbones.image_encoders import hash_of
from prior_bench.backbones.reference import backbone_row
from prior_bench.checkpoints.files import sha256
from prior_bench.checkpoints.known import biovil
from prior_bench.checkpoints.layouts import layout_named
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.explain.contract import lacking
from prior_bench.registry import LAYOUTS
from prior_bench.versions import machinery, raised

KINDS = {"BioViL": "resnet50", "BioViL-T": "resnet50_multi_image"}
SHAPE = ("projector.model.3.bias", (128,))


def small_layouts():
    """The layouts with a small text encoder."""
    image = [
        replace(layout, name=f"small {layout.name}", with_text=f"small {layout.with_text}", shapes=(SHAPE,))
        for layout in biovil.layouts()
    ]
    both = [
        replace(
            layout,
            name=f"small {layout.name}",
            shapes=(SHAPE, ("text_model.cls_projection_head.dense_to_hidden.weight", (128, 32))),
            vocabulary=WORDS,
            method={**layout.method, "text_encoder": {"config": SMALL}},
        )
        for layout in layouts()
    ]
    return (*image, *both)


@pytest.fixture(autouse=True)
def registered(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    LAYOUTS.register_module("small_biovil", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_biovil")


def image_file(folder, kind="BioViL"):
    torch.save(drawn(KNOWN[f"{kind}, ResNet-50"]()), path := folder / "image.pt")
    return path


def source(tmp_path, kind="BioViL", **further):
    given = {"text_encoder": str(write_cxr_bert(tmp_path / "text")), **further}
    return CheckpointFile("row", str(image_file(tmp_path, kind)), **given)


def load(found):
    found.check()
    return found.load(0, LoadContext())


def close(found, wanted):
    wanted = torch.tensor(wanted)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=2e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_vectors_and_patches_are_those_of_the_authors_modules(tmp_path, kind):
    known, found = golden("biovil"), source(tmp_path, kind)
    assert found.has_text and found.method_class is ReleasedBioViL
    backbone = load(found)
    method, wanted = backbone.method, known[KINDS[kind]]
    image = method.encode_image(pixels(2, known["size"]))
    close(image.global_[:, :12], wanted["global"])
    close(image.parts.reshape(2, 3, 3, 128)[..., :6], wanted["patches"])
    text = method.encode_text(texts(known["lengths"]))
    close(text.global_[:, :12], known["text"]["vectors"])
    torch.testing.assert_close(method.similarity(image, text), image.global_ @ text.global_.T)
    assert float((image.global_[0] - image.global_[1]).abs().max()) > 5e-3, "images differ"
    assert backbone.provenance["text"] == "yes" and backbone.provenance["layout"].endswith("CXR-BERT")


@torch.no_grad()
def test_the_end_of_a_prompt_loses_its_punctuation(tmp_path):
    tokenizer = load(source(tmp_path)).method.text_encoder.tokenizer
    ids = tokenizer([("The heart is enlarged.", "No effusion!?."), ("No effusion",), ("No. effusion",)])
    first, second, third = (row[mask.bool()].tolist() for row, mask in zip(*ids[:2], strict=True))
    assert first == tokenizer([("The heart is enlarged. No effusion",)]).input_ids[0].tolist()
    assert second[1:-1] == third[1:2] + third[3:-1] and tokenizer.tokens(third)[2] == "."
    assert tokenizer([("Effusion. ",)]).input_ids.shape[1] == 4, "only the last characters"
    assert tokenizer([()]).input_ids.shape == (1, 2)


def test_a_file_alone_is_its_image_encoder_and_says_how_to_get_the_rest(tmp_path):
    found = source(tmp_path, text_encoder=None)
    found.check()
    assert not found.has_text and found.method_class is None and load(found).method is None
    assert "give --text-encoder PATH, or text_encoder='PATH'" in found.text_problem
    assert "microsoft/BiomedVLP-CXR-BERT-specialized" in found.text_problem
    assert "--text-encoder" in describe(image_file(tmp_path)).text


@pytest.mark.slow
def test_keys_of_the_image_encoder_alone_are_those_of_before_texts_were_read(tmp_path):
    path = image_file(tmp_path)
    for file in (CheckpointFile("row", str(path)), source(tmp_path, text_encoder=None)):
        use = [None, {}, raised(machinery(file._parts)), {"image_encoder": biovil.input_of(480)}]
        assert file.identity(0) == hash_of("checkpoint", sha256(path), *use)


@pytest.mark.slow
def test_the_text_encoder_is_part_of_the_identity(tmp_path):
    first = source(tmp_path)
    kept, told = first.identity(0), load(first).provenance
    assert kept == source(tmp_path).identity(0) != source(tmp_path, text_encoder=None).identity(0)
    assert source(tmp_path).confirms(0, {"backbone": told}, LoadContext()) == ""
    state = drawn(cxr_bert(small_bert()))
    state["cls_projection_head.dense_to_output.bias"] += 1
    write_cxr_bert(tmp_path / "other", state)
    other = source(tmp_path, text_encoder=str(tmp_path / "other"))
    assert other.identity(0) != kept
    assert "the same content" in other.confirms(0, {"backbone": told}, LoadContext())


@pytest.mark.parametrize(
    "name", ["cls_projection_head.LayerNorm.bias", "bert.encoder.layer.1.output.dense.bias"]
)
def test_a_missing_or_renamed_tensor_of_the_text_encoder_is_refused(tmp_path, name):
    state = drawn(cxr_bert(small_bert()))
    value = state.pop(name)
    for change, message in (({}, ""), ({f"{name}_v2": value}, rf"; unknown text_model\.{name}_v2")):
        write_cxr_bert(tmp_path / "text", {**state, **change})
        with pytest.raises(BenchError, match=rf"missing text_model\.{name}{message}"):
            CheckpointFile("row", str(image_file(tmp_path)), text_encoder=str(tmp_path / "text")).check()


@pytest.mark.slow
def test_another_architecture_is_refused_though_tensors_fit(tmp_path):
    write_cxr_bert(tmp_path / "text", num_attention_heads=4, hidden_act="relu")
    found = CheckpointFile("row", str(image_file(tmp_path)), text_encoder=str(tmp_path / "text"))
    with pytest.raises(
        BenchError, match="num_attention_heads is 4 instead of 2; hidden_act is 'relu' instead"
    ):
        found.check()
    (tmp_path / "text/config.json").unlink()
    with pytest.raises(BenchError, match=r"there is no config\.json"):
        CheckpointFile("row", str(image_file(tmp_path)), text_encoder=str(tmp_path / "text")).check()


@pytest.mark.slow
def test_a_wrong_vocabulary_and_a_folder_that_is_not_there_are_refused(tmp_path):
    found = source(tmp_path)
    with open(tmp_path / "text/vocab.txt", "a") as file:
        file.write("more\n")
    with pytest.raises(BenchError, match="has 61 tokens, the word embedding of .* has 60 rows"):
        found.check()
    with pytest.raises(BenchError, match="neither a folder nor a name on the hub"):
        source(tmp_path, text_encoder=str(tmp_path / "absent")).check()
    with pytest.raises(BenchError, match="HF_HUB_OFFLINE is set"):
        source(tmp_path, text_encoder="hf:microsoft/BiomedVLP-CXR-BERT-specialized").check()


@pytest.mark.slow
def test_a_text_encoder_is_only_for_files_without_one(tmp_path):
    folder = str(write_cxr_bert(tmp_path / "text"))
    named = CheckpointFile("row", str(image_file(tmp_path)), image_encoder="resnet50", text_encoder=folder)
    with pytest.raises(
        BenchError, match="takes no text encoder.*\n.*leave text_encoder out, or image_encoder"
    ):
        named.check()
    torch.save(KNOWN["CXR-CLIP, ResNet-50"](), path := tmp_path / "whole.pt")
    with pytest.raises(BenchError, match="its text encoder is in the file"):
        CheckpointFile("row", str(path), text_encoder=folder).check()
    row = backbone_row(str(path), text_encoder=folder)
    assert row["type"] == "checkpoint" and row["text_encoder"] == folder
    assert backbone_row("biovil", text_encoder=folder)["text_encoder"] == folder
    with pytest.raises(BenchError, match="a model of timm takes no text_encoder|only a checkpoint file"):
        backbone_row("timm:resnet50", text_encoder=folder)
    with pytest.raises(BenchError, match="a model of hf takes no text_encoder"):
        backbone_row("rad_dino", text_encoder=folder)


@torch.no_grad()
@pytest.mark.slow
def test_a_converted_file_has_both(tmp_path):
    method = load(source(tmp_path)).method
    out = tmp_path / "ours.safetensors"
    convert(tmp_path / "image.pt", out, text_encoder=str(tmp_path / "text"))
    ours = CheckpointFile("row", str(out))
    assert ours.known_exposure()[0][0] == "mimic_cxr"
    tokens = [("No effusion.",)]
    for one in (method, ours.load(0, LoadContext()).method):
        assert one.text_encoder.tokenizer(tokens).input_ids.shape == (1, 4)
    text = ours.load(0, LoadContext()).method.encode_text(texts((5, 3))).global_
    assert torch.equal(text, method.encode_text(texts((5, 3))).global_)


def test_maps_of_phrases_are_of_the_global_vector():
    assert lacking(ReleasedBioViL, "similarity_global") == ""
    assert lacking(ReleasedBioViL, "similarity") == "no local features of texts"


def test_layouts_name_their_text_encoder():
    for layout in biovil.layouts():
        both = layout_named(layout.with_text)
        assert both is not None and both.has_text and both.exposure == layout.exposure
        assert layout.text_model.partition("@")[0] == both.tokenizer
        assert both.image_encoder == layout.image_encoder


@pytest.mark.slow
def test_zero_shot_retrieval_and_grounding_run_on_two_files(tmp_path, tiny_sample, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    path, folder = image_file(tmp_path), write_cxr_bert(tmp_path / "text")
    given = ["--backbone", str(path), "--text-encoder", str(folder), "--device", "cpu", "--resamples", "20"]
    given += ["--input", "size=96"]
    rsna, mimic = (str(tiny_sample / name) for name in ("chexpert", "mimic_cxr"))
    tasks = {
        "zero_shot": ["--data", f"chexpert@{rsna}", "--protocol", "clean/zero_shot_ensemble"],
        "retrieval": ["--data", f"mimic_cxr@{mimic}", "--protocol", "demo/retrieval"],
    }
    for task, further in tasks.items():
        assert main(["eval", task, *given, *further]) == 0
    records = [json.loads(p.read_text()) for p in (tmp_path / "results/eval/runs").glob("*/record.json")]
    assert {record["spec"]["task"] for record in records} == set(tasks)
    assert all(record["status"] == "done" for record in records)
    assert {record["spec"]["backbone"]["text_encoder"] for record in records} == {str(folder)}


@pytest.mark.slow
def test_a_vocabulary_may_come_from_elsewhere(tmp_path):
    found = source(tmp_path)
    (tmp_path / "text/vocab.txt").unlink()
    with pytest.raises(BenchError, match="contains no tokenizer"):
        found.check()
    (tmp_path / "words").mkdir()
    load(source_with(tmp_path, str(write_small_vocabulary(tmp_path / "words"))))


def source_with(tmp_path, tokenizer):
    return CheckpointFile(
        "row", str(tmp_path / "image.pt"), text_encoder=str(tmp_path / "text"), tokenizer=tokenizer
    )
