"""MedKLIP, KAD and MAVL: scores of the authors' modules, what is refused, and keys."""

import json
from dataclasses import replace

import pytest
import torch
from official_weights import drawn, pixels
from query_files import (
    NARROW,
    clinical_bert,
    kad,
    mavl,
    medklip,
    narrow_bert,
    parts_of,
    write_clinical_bert,
)
from two_tower_files import WORDS, golden, texts, write_small_vocabulary

from baselines import kad_released, mavl_released, medklip_released
from baselines.query_tokenizer import QueryTokenizer
from prior_bench.api import Features, LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.image_encoders import hash_of
from prior_bench.checkpoints.files import sha256
from prior_bench.checkpoints.known import medklip as known
from prior_bench.cli import main
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.registry import LAYOUTS
from prior_bench.versions import machinery, raised

STATES = {"medklip": medklip, "mavl": mavl}
EMBEDDING = "text_encoder.bert_model.embeddings.word_embeddings.weight"
CLASSES = ("Atelectasis", "Cardiomegaly", "Edema")
FILES = []
"""The folder of the files that tests share."""


def head(layout):
    """A tensor of the image file, by which a test's layout is taken before the real one."""
    return ("res_l1.0.bias" if "MAVL" in layout.name else "res_l1.bias", (1024,))


def small_layouts():
    """The layouts with a small text encoder."""
    image = [
        replace(one, name=f"small {one.name}", with_text=f"small {one.with_text}", shapes=(head(one),))
        for one in (known.of_medklip(), known.of_mavl())
    ]
    both = [
        replace(
            one,
            name=f"small {one.name}",
            shapes=(*one.shapes, (EMBEDDING, (WORDS, 768)) if "KAD" in one.name else head(one)),
            vocabulary=WORDS,
            method={**one.method, "text_encoder": {"config": NARROW, "pool": "cls"}},
        )
        for module in (medklip_released, mavl_released, kad_released)
        for one in module.layouts()
    ]
    return (*image, *both)


@pytest.fixture(autouse=True)
def registered(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    LAYOUTS.register_module("small_queries", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_queries")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    FILES[:] = [tmp_path_factory.mktemp("words")]
    return write_clinical_bert(FILES[0] / "text")


def source(folder, name, **further):
    """The image file, which is written once beside the folder of the text encoder."""
    path = FILES[0] / f"{name}.pth"
    if not path.exists():
        state = {f"module.{key}": tensor for key, tensor in drawn(STATES[name]()).items()}
        torch.save({"model": state}, path)
    return CheckpointFile("row", str(path), **{"text_encoder": str(folder), **further})


def kad_source(tmp_path, stages=4, change=None):
    state = kad(stages, narrow_bert())
    free = {name: t for name, t in state.items() if ".resnet." not in name and "decoder_norm" not in name}
    parts = parts_of({**state, **drawn(free)} | (change or {}))
    torch.save(parts, path := tmp_path / "kad.pt")
    (tmp_path / "words").mkdir(exist_ok=True)
    return CheckpointFile("row", str(path), tokenizer=str(write_small_vocabulary(tmp_path / "words")))


def load(found):
    found.check()
    return found.load(0, LoadContext())


def close(found, wanted):
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=1e-4, atol=1e-4)


def scores(method, size, lengths, rows=None):
    rows = slice(None) if rows is None else rows
    text = texts(lengths)
    text = type(text)(*(values[rows] for values in text))
    return method.similarity(method.encode_image(pixels(2, size)), method.encode_text(text))


@torch.no_grad()
def test_scores_of_medklip_are_those_of_the_authors_module(tmp_path, folder):
    told, found = golden("medklip"), source(folder, "medklip")
    assert found.has_text and found.method_class is medklip_released.ReleasedMedKLIP
    backbone = load(found)
    assert backbone.provenance["layout"].endswith("BioClinicalBERT") and backbone.provenance["text"] == "yes"
    method = backbone.method
    every = scores(method, told["size"], told["lengths"])
    close(every, told["all"]["scores"])
    close(every.sigmoid(), told["all"]["probabilities"])
    first_two = scores(method, told["size"], told["lengths"], [0, 1])
    close(first_two, told["first_two"]["scores"])
    assert float((first_two - every[:, :2]).abs().max()) > 0.05, "a finding's score depends on the others"
    close(scores(method, told["size"], told["lengths"], [2, 0, 1]), every[:, [2, 0, 1]].tolist())
    assert float((every[:, [1, 0, 2]] - every).abs().max()) > 0.1, "the order of texts is that of scores"


@pytest.mark.slow
@torch.no_grad()
def test_scores_of_mavl_are_those_of_the_authors_module(tmp_path, folder):
    told = golden("mavl")
    method = load(source(folder, "mavl")).method
    assert method.parts == 9 and isinstance(method, mavl_released.ReleasedMAVL)
    found = scores(method, told["size"], told["lengths"])
    close(found, told["all"]["scores"])
    close(found.sigmoid(), told["all"]["probabilities"])
    moved = [1, 0, *range(2, 18)]
    assert float((scores(method, told["size"], told["lengths"], moved) - found).abs().max()) > 1e-3, "aspects"


@pytest.mark.slow
@pytest.mark.parametrize("stages", [3, 4])
@torch.no_grad()
def test_scores_of_kad_are_those_of_the_authors_module(tmp_path, stages):
    told, key = golden("kad"), {3: "three_stages", 4: "four_stages"}[stages]
    found = kad_source(tmp_path, stages)
    assert found.has_text and found.method_class is kad_released.ReleasedKAD
    method = load(found).method
    every = scores(method, told["size"], told["lengths"])
    close(every, told[key]["scores"])
    close(every.sigmoid(), told[key]["probabilities"])
    close(scores(method, told["size"], told["lengths"], [0, 1]), told[f"{key}_first_two"]["scores"])


@pytest.mark.slow
@torch.no_grad()
def test_a_wrong_partner_changes_the_score(tmp_path, folder):
    method = load(source(folder, "medklip")).method
    image, text = method.encode_image(pixels(2, 96)), method.encode_text(texts((9, 5, 12)))
    found = method.similarity(image, text)
    swapped = method.similarity(Features(image.global_.flip(0), image.parts.flip(0)), text)
    torch.testing.assert_close(swapped, found.flip(0), rtol=1e-4, atol=1e-5)
    assert float((swapped - found).abs().min()) > 1e-2
    alone = method.similarity(Features(image.global_[:1], image.parts[:1]), text)
    torch.testing.assert_close(alone, found[:1], rtol=1e-4, atol=1e-5)


def small_tokenizer(tmp_path, max_tokens=64):
    from prior_bench.checkpoints.vocabulary import read_tokenizer

    return read_tokenizer(write_small_vocabulary(tmp_path), max_tokens)


def test_texts_have_no_sep_and_64_tokens_with_cls(tmp_path):
    plain = small_tokenizer(tmp_path)
    ours = QueryTokenizer.from_json(plain.to_json())
    (wanted,), (found,) = (one([("No pleural effusion.",)]).input_ids.tolist() for one in (plain, ours))
    assert found == wanted[:-1] and plain.tokens(wanted)[-1] == "[SEP]"
    (long,) = ours([("the heart is enlarged " * 20,)]).input_ids.tolist()
    assert len(long) == 64 and plain.tokens(long)[-1] == "is" and plain.tokens(long)[0] == "[CLS]"
    again = QueryTokenizer.from_json(QueryTokenizer.of(json.loads(plain.to_json()), parts=2).to_json())
    assert again.parts == 2 and ReportTokenizer.from_json(again.to_json()).vocab_size == WORDS


def test_a_text_of_mavl_is_so_many_lines(tmp_path):
    tokenizer = QueryTokenizer.of(json.loads(small_tokenizer(tmp_path).to_json()), parts=3)
    lines = ["the heart is enlarged", "no effusion", "clear"]
    rows = tokenizer([("\n".join(lines),), tuple(lines)])
    single = QueryTokenizer.from_json(small_tokenizer(tmp_path).to_json())([(line,) for line in lines])
    assert rows.input_ids.tolist() == single.input_ids.tolist() * 2
    with pytest.raises(BenchError, match=r"a text has 1 line\(s\), but a finding is 3 lines: 'Edema'"):
        tokenizer([("Edema",)])


def test_without_a_text_encoder_only_images_are_read_and_keys_are_those_of_before(tmp_path, folder):
    found = source(folder, "medklip", text_encoder=None)
    found.check()
    assert not found.has_text and found.method_class is None
    assert "give --text-encoder PATH" in found.text_problem
    assert "emilyalsentzer/Bio_ClinicalBERT" in found.text_problem
    encoder = {"image_encoder": known.of_medklip().image_encoder}
    use = [None, {}, raised(machinery(found._parts)), encoder]
    assert found.identity(0) == hash_of("checkpoint", sha256(found.path), *use)
    assert found.identity(0) != source(folder, "medklip").identity(0)


@pytest.mark.slow
def test_the_key_of_kad_is_that_of_its_image_encoder(tmp_path):
    found = kad_source(tmp_path)
    alone = CheckpointFile("row", str(found.path))
    encoder = {"image_encoder": known.of_kad()[0].image_encoder}
    use = [None, {}, raised(machinery(found._parts)), encoder]
    assert alone.identity(0) == hash_of("checkpoint", sha256(found.path), *use) != found.identity(0)
    assert not alone.has_text and "--tokenizer" in alone.text_problem
    assert load(alone).image_encoder.dim == 2048


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["bert.encoder.layer.1.output.dense.bias", "bert.embeddings.LayerNorm.weight"]
)
def test_a_missing_or_renamed_tensor_of_the_text_encoder_is_refused(tmp_path, folder, name):
    state = drawn(clinical_bert(narrow_bert()))
    value = state.pop(name)
    for change, message in (({}, ""), ({f"{name}_v2": value}, rf"; unknown module\.text_model\.{name}_v2")):
        words = write_clinical_bert(tmp_path / "text", {**state, **change})
        with pytest.raises(BenchError, match=rf"missing module\.text_model\.{name}{message}"):
            source(words, "medklip").check()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("decoder.layers.2.multihead_attn.in_proj_weight", marks=pytest.mark.slow),
        "classifier.bias",
        pytest.param("res_l2.bias", marks=pytest.mark.slow),
    ],
)
def test_a_missing_tensor_of_the_decoder_is_refused(tmp_path, folder, name):
    state = medklip()
    value = state.pop(name)
    for change, message in (({}, ""), ({f"{name}_v2": value}, f"; unknown {name}_v2")):
        torch.save({"model": {**state, **change}}, path := tmp_path / "medklip.pth")
        with pytest.raises(BenchError, match=rf"missing {name}{message}"):
            load(CheckpointFile("row", str(path), text_encoder=str(folder)))


def test_a_text_encoder_of_another_architecture_is_refused(tmp_path, folder):
    words = write_clinical_bert(tmp_path / "text", num_attention_heads=4)
    with pytest.raises(BenchError, match="num_attention_heads is 4 instead of 12"):
        source(words, "medklip").check()


def prompts_of(path, lines, *further):
    words = ["no effusion", "the heart is enlarged", "lungs are clear", "pleural effusion"]
    made = {c: ["\n".join([text] * lines)] for c, text in zip((*CLASSES, *further), words, strict=False)}
    path.write_text(json.dumps(made))
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["medklip", "mavl", "kad"])
def test_zero_shot_runs_and_retrieval_says_why_it_does_not(
    tmp_path, folder, tiny_sample, monkeypatch, capsys, name
):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    size = 96
    found = kad_source(tmp_path) if name == "kad" else source(folder, name)
    given = ["--backbone", str(found.path), "--device", "cpu", "--resamples", "20", "--input", f"size={size}"]
    words = ["--tokenizer", str(tmp_path / "words/vocab.txt")]
    given += words if name == "kad" else ["--text-encoder", str(folder)]
    chexpert, mimic = (str(tiny_sample / part) for part in ("chexpert", "mimic_cxr"))
    zero_shot = ["zero_shot", "--data", f"chexpert@{chexpert}", "--protocol", "clean/zero_shot_sigmoid"]
    lines = 9 if name == "mavl" else 1
    for queries, further in (("classes", ()), ("prompt_set", ("Hernia",))):
        prompts = prompts_of(tmp_path / f"{queries}.json", lines, *further)
        more = ["--prompts", prompts, "--set", f"options.queries={queries}"]
        assert main(["eval", *zero_shot, *given, *more]) == 0
    records = [json.loads(p.read_text()) for p in (tmp_path / "results/eval/runs").glob("*/record.json")]
    assert len(records) == 2 and {record["status"] for record in records} == {"done"}
    assert len({record["metrics"]["auroc"] for record in records}) == 2, "the further query changes scores"
    capsys.readouterr()
    main(["eval", "retrieval", *given, "--data", f"mimic_cxr@{mimic}", "--protocol", "demo/retrieval"])
    shown = "".join(capsys.readouterr())
    assert "the score of a text depends on the other texts" in shown
