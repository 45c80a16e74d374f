"""CARZero: scores of the authors' module, its texts, what is refused, and zero-shot from the command line."""

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from carzero_files import BERT, DEPTH, TEXTS, VOCABULARY, WIDTH, bert_of_words, carzero, write_words
from official_weights import drawn, pixels
from two_tower_files import golden

from baselines.carzero_released import ReleasedCARZero, layouts
from baselines.carzero_tokenizer import PlainTokenizer, plain_sentences
from prior_bench.api import Features, InputSpec, LoadContext, PretrainBatch
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.checkpoints.vocabulary import read_tokenizer
from prior_bench.cli import main
from prior_bench.data.images.transforms import eval_transform
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.registry import LAYOUTS

SIZE = 224
EMBEDDING = "text_encoder.model.embeddings.word_embeddings.weight"


def small_layouts():
    """The layout with a small text encoder and few blocks."""
    (layout,) = layouts()
    image = {**layout.image_encoder, "model_args": {"img_size": SIZE, "depth": DEPTH, "embed_dim": WIDTH}}
    marks = (f"img_encoder.model.blocks.{DEPTH - 1}.", *layout.marks[1:])
    method = {**layout.method, "image_encoder": image, "text_encoder": {"config": BERT}, "embed_dim": WIDTH}
    return (
        replace(
            layout,
            name="small CARZero",
            marks=marks,
            shapes=((EMBEDDING, (len(VOCABULARY), WIDTH)),),
            vocabulary=len(VOCABULARY),
            method=method,
        ),
    )


@pytest.fixture(autouse=True)
def registered(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    LAYOUTS.register_module("small_carzero", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_carzero")


def save(path, state):
    """A file as Lightning writes it."""
    state = {f"CARZero.{name}": tensor for name, tensor in state.items()}
    torch.save({"state_dict": state, "hyper_parameters": {"phase": "pretrain"}, "epoch": 3}, path)
    return path


@pytest.fixture(scope="module")
def weights():
    return drawn(carzero(bert_of_words(), DEPTH))


@pytest.fixture(scope="module")
def file(tmp_path_factory, weights):
    folder = tmp_path_factory.mktemp("carzero")
    write_words(folder)
    return save(folder / "CARZero_best_model.ckpt", weights)


def source(file, **further):
    return CheckpointFile("row", str(file), **{"tokenizer": str(file.parent / "vocab.txt"), **further})


@pytest.fixture(scope="module")
def method(file):
    LAYOUTS.register_module("small_carzero", force=True, module=small_layouts)
    found = source(file)
    found.check()
    assert found.has_text and found.method_class is ReleasedCARZero
    return found.load(0, LoadContext()).method


def close(found, wanted):
    torch.testing.assert_close(found, torch.tensor(wanted), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def encoded(method):
    tokenizer = method.text_encoder.tokenizer
    return method.encode_image(pixels(3, SIZE)), method.encode_text(tokenizer([(t,) for t in TEXTS.values()]))


@torch.no_grad()
def test_vectors_and_scores_are_those_of_the_authors_module(method):
    told, (image, text) = golden("carzero"), encoded(method)
    close(image.global_[:, :12], told["image"])
    close(image.parts[:, 5, :6], told["patches"])
    close(text.global_[:, :12], told["text"])
    close(text.parts[:, 1, :6], told["rows"])
    assert text.parts.shape == (4, 97, WIDTH) and not text.parts[0, 5:].any(), "[CLS], three words, [SEP]"
    by_text, by_image = method.logits(image, text)
    close(by_text, told["image_to_text"])
    close(by_image.T, told["text_to_image"])
    close(method.similarity(image, text), told["scores"])


@torch.no_grad()
def test_the_loss_is_that_of_the_authors_module(method):
    tokenizer = method.text_encoder.tokenizer
    batch = PretrainBatch(pixels(3, SIZE), tokenizer([(t,) for t in list(TEXTS.values())[:3]]))
    close(sum(method.loss(batch).values()), golden("carzero")["loss"])


@torch.no_grad()
def test_the_score_of_a_pair_is_its_own_and_a_wrong_partner_changes_it(method):
    image, text = encoded(method)
    every = method.similarity(image, text)
    one = method.similarity(
        Features(image.global_[1:2], image.parts[1:2]), Features(text.global_[2:3], text.parts[2:3])
    )
    torch.testing.assert_close(one, every[1:2, 2:3], rtol=1e-4, atol=1e-5)
    swapped = method.similarity(Features(image.global_.flip(0), image.parts.flip(0)), text)
    torch.testing.assert_close(swapped, every.flip(0), rtol=1e-4, atol=1e-5)
    assert float((swapped - every)[0].abs().min()) > 0.02
    moved = method.similarity(image, Features(text.global_.flip(0), text.parts.flip(0)))
    assert float((moved - every).abs().min()) > 0.01
    for parts in ((image.parts.flip(0), text.parts), (image.parts, text.parts.flip(0))):
        mixed = method.similarity(Features(image.global_, parts[0]), Features(text.global_, parts[1]))
        assert float((mixed - every).abs().max()) > 1e-3, "patches and words count, not vectors alone"


@torch.no_grad()
def test_a_text_has_the_same_score_beside_longer_ones(method):
    tokenizer, image = method.text_encoder.tokenizer, method.encode_image(pixels(1, SIZE))
    alone = method.encode_text(tokenizer([(TEXTS["Atelectasis"],)]))
    beside = method.encode_text(tokenizer([(TEXTS["Atelectasis"],), (TEXTS["Long"],)]))
    found = [method.similarity(image, text)[:, 0] for text in (alone, beside)]
    torch.testing.assert_close(*found, rtol=1e-4, atol=1e-5)
    cut = Features(alone.global_, alone.parts[:, :5])
    assert float((method.similarity(image, cut)[:, 0] - found[0]).abs()) > 1e-3, "zeros after the text count"


def test_texts_have_the_ids_of_the_authors_code(tmp_path):
    plain = read_tokenizer(write_words(tmp_path), 97)
    ours = PlainTokenizer.from_json(plain.to_json())
    batch = ours([(text,) for text in TEXTS.values()])
    rows = [
        row[mask.bool()].tolist() for row, mask in zip(batch.input_ids, batch.attention_mask, strict=True)
    ]
    assert rows == golden("carzero")["ids"] and ours.lengths([(TEXTS["Atelectasis"],)]) == [8]
    merged = [batch.word_index[i].max().item() + 3 for i in range(4)]
    assert merged == [len(words) for words in golden("carzero")["words"]]
    again = PlainTokenizer.from_json(ours.to_json())
    assert again.max_tokens == 97 and ReportTokenizer.from_json(ours.to_json()).vocab_size == len(VOCABULARY)


@pytest.mark.parametrize(
    "text, sentences",
    [
        (("There is edema.", "No effusion."), ("there is edema", "no effusion")),
        (("1. Clear lungs. 2. Edema.",), ("clear lungs",)),
        (("a node of 2.5 cm..",), ("a node of", "5 cm")),
        (("Edema.",), ("edema",)),
        (("Edema",), ("edema",)),
        ((". 3.",), ()),
    ],
)
def test_sentences_are_plain_and_a_single_word_is_kept_if_it_is_all(text, sentences):
    assert plain_sentences(text) == sentences


def test_images_are_fitted_as_the_authors_code_does():
    spec = InputSpec(**layouts()[0].image_encoder["input"])
    picture = np.random.RandomState(0).randint(0, 256, (392, 507)).astype(np.uint8)
    height = int(392 * (256 / 507))
    scaled = cv2.resize(picture, (256, height), interpolation=cv2.INTER_AREA)
    above = (256 - height) // 2
    square = np.zeros((256, 256), np.uint8)
    square[above : above + height] = scaled
    wanted = (square[16:240, 16:240] / 255 - 0.4978) / 0.2449
    found = eval_transform(spec)(picture)
    assert found.shape == (3, 224, 224)
    levels = (found[0] - torch.as_tensor(wanted)).abs() * 0.2449 * 255
    assert float(levels.max()) < 1.01 and float(levels.mean()) < 0.1


@pytest.mark.parametrize(
    "name",
    [
        "fusion_module.decoder.layers.2.multihead_attn.in_proj_weight",
        "fusion_module.decoder.norm.bias",
        "fusion_module.mlp_head.9.bias",
        "img_encoder.model.norm.weight",
        "text_encoder.model.encoder.layer.4.output.dense.bias",
    ],
)
def test_a_missing_or_renamed_tensor_is_refused(tmp_path, weights, name):
    state = dict(weights)
    value = state.pop(name)
    for change, message in (({}, ""), ({f"{name}_v2": value}, rf"; unknown CARZero\.{name}_v2")):
        path = save(tmp_path / "changed.ckpt", {**state, **change})
        with pytest.raises(BenchError, match=rf"looks like small CARZero.*missing CARZero\.{name}{message}"):
            CheckpointFile("row", str(path)).check()


def test_a_tensor_of_another_score_is_refused(tmp_path, weights):
    path = save(tmp_path / "more.ckpt", {**weights, "fusion_module_global.norm.bias": torch.zeros(WIDTH)})
    with pytest.raises(BenchError, match=r"unknown CARZero\.fusion_module_global\.norm\.bias"):
        CheckpointFile("row", str(path)).check()


def test_without_the_tokenizer_images_alone_are_read(file):
    found = source(file, tokenizer=None)
    found.check()
    assert not found.has_text and "Laihaoran/BioClinicalMPBERT" in found.text_problem
    backbone = found.load(0, LoadContext())
    assert backbone.method is None and backbone.image_encoder.dim == WIDTH
    with torch.no_grad():
        close(backbone.image_encoder(pixels(3, SIZE)).global_[:, :12], golden("carzero")["image"])


@pytest.mark.slow
def test_zero_shot_and_retrieval_run(tmp_path, file, tiny_sample, monkeypatch, capsys):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    given = ["--backbone", str(file), "--tokenizer", str(file.parent / "vocab.txt"), "--device", "cpu"]
    given += ["--resamples", "20"]
    chexpert, mimic = (str(tiny_sample / part) for part in ("chexpert", "mimic_cxr"))
    zero_shot = ["zero_shot", "--data", f"chexpert@{chexpert}", "--protocol", "clean/zero_shot_sigmoid"]
    assert main(["eval", *zero_shot, *given, "--prompts", "chexpert5_carzero"]) == 0
    retrieval = ["retrieval", "--data", f"mimic_cxr@{mimic}", "--protocol", "demo/retrieval"]
    assert main(["eval", *retrieval, *given]) == 0
    records = [json.loads(p.read_text()) for p in (tmp_path / "results/eval/runs").glob("*/record.json")]
    assert len(records) == 2 and {record["status"] for record in records} == {"done"}
    (auroc,) = [r["metrics"]["auroc"] for r in records if "auroc" in r["metrics"]]
    assert 0 < auroc < 1
