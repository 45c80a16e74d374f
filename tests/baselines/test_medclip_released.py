"""MedCLIP's released files: vectors and scores of plain torch, and the tasks that need texts."""

import json
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from known_files import bert, of_medclip, resnet50, resnet_of_medclip, shaken, swin, swin_of_medclip
from released_files import write_vocabulary

from baselines.medclip_released import ReleasedMedCLIP, layouts
from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.convert import convert
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.registry import LAYOUTS

SMALL = dict(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=48)
TEXTS = [("The heart is enlarged.", "No pleural effusion."), ("Clear.",), ("Lungs are clear.",)]
KINDS = ("ResNet-50", "Swin-T")


def small_layouts():
    """MedCLIP's layouts with a small text encoder."""
    shape = ("text_model.projection_head.weight", (512, 32))
    return tuple(
        replace(
            layout,
            name=f"small {layout.name}",
            shapes=(shape,),
            method={**layout.method, "text_encoder": {"config": SMALL}},
        )
        for layout in layouts()
    )


@pytest.fixture(autouse=True)
def registered():
    LAYOUTS.register_module("small_medclip", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_medclip")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


class Plain:
    """A MedCLIP of torchvision's or transformers' models, as the authors' code computes it."""

    def __init__(self, kind, scale=2.5):
        torch.manual_seed(0)
        self.bert, self.scale = shaken(bert(**SMALL)), torch.tensor(scale)
        self.projection = torch.randn(512, 32) * 0.2
        self.vision = shaken(resnet50() if kind == "ResNet-50" else swin())
        if kind == "ResNet-50":
            image = resnet_of_medclip(self.vision)
        else:
            image = swin_of_medclip(self.vision, self.image_projection())
        self.state = of_medclip(image, self.bert, self.projection, self.scale)

    def image_projection(self):
        return torch.randn(512, 768, generator=torch.Generator().manual_seed(3)) * 0.1

    def image(self, pixels):
        found = self.vision(pixels)
        if not torch.is_tensor(found):
            found = found.pooler_output @ self.image_projection().T
        return found / found.norm(dim=-1, keepdim=True)

    def text(self, ids):
        """Vectors of texts of one length, [B, L], without padding."""
        states = self.bert(ids, torch.ones_like(ids), output_hidden_states=True).hidden_states
        chosen = torch.stack([states[1], states[2], states[-1]], dim=1)
        found = chosen.mean(dim=2).mean(dim=1) @ self.projection.T
        return found / found.norm(dim=-1, keepdim=True)

    def logits(self, image, text):
        return image @ text.T * self.scale.clamp(0, 4.6052).exp()


def save(tmp_path, state):
    torch.save(state, path := tmp_path / "pytorch_model.bin")
    return path


def load(tmp_path, state):
    tokenizer = str(write_vocabulary(tmp_path))
    source = CheckpointFile("row", str(save(tmp_path, state)), tokenizer=tokenizer)
    source.check()
    assert source.has_text
    return source.load(0, LoadContext())


def images():
    return torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_vectors_and_scores_are_those_of_plain_torch(tmp_path, kind):
    plain = Plain(kind)
    backbone = load(tmp_path, plain.state)
    method = backbone.method
    assert isinstance(method, ReleasedMedCLIP) and backbone.provenance["layout"].endswith(kind)
    image = method.encode_image(images())
    close(image.global_, plain.image(images()))
    assert image.local is None
    batch = method.text_encoder.tokenizer(TEXTS)
    alone = torch.cat([plain.text(method.text_encoder.tokenizer([text]).input_ids) for text in TEXTS])
    assert len(set(batch.attention_mask.sum(dim=1).tolist())) == 3, "texts of several lengths"
    text = method.encode_text(batch)
    close(text.global_, alone)
    scores = method.similarity(image, text)
    close(scores, plain.logits(plain.image(images()), alone))
    assert scores.shape == (2, 3) and len(set(scores.flatten().tolist())) == 6


@torch.no_grad()
def test_image_features_are_those_before_the_projection(tmp_path):
    plain = Plain("Swin-T")
    found = load(tmp_path, plain.state).image_encoder(images())
    wanted = plain.vision(images())
    close(found.global_, wanted.pooler_output)
    norm = plain.vision.layernorm
    normed = F.layer_norm(found.local, (768,), norm.weight, norm.bias, 1e-5)
    close(normed, wanted.last_hidden_state)  # maps are those before the last norm


@pytest.mark.parametrize("scale, bounded", [(9.0, 4.6052), (-1.0, 0.0)])
@torch.no_grad()
def test_the_scale_is_bounded(scale, bounded):
    method = ReleasedMedCLIP.__new__(ReleasedMedCLIP)
    torch.nn.Module.__init__(method)
    method.logit_scale = torch.nn.Parameter(torch.tensor(scale))
    assert float(method._scale()) == pytest.approx(torch.tensor(bounded).exp().item(), rel=1e-6)


@pytest.mark.slow
@torch.no_grad()
def test_a_converted_file_gives_the_same_scores(tmp_path):
    method = load(tmp_path, Plain("Swin-T").state).method
    out = tmp_path / "ours.safetensors"
    convert(tmp_path / "pytorch_model.bin", out, tokenizer=str(tmp_path / "vocab.txt"))
    ours = CheckpointFile("row", str(out)).load(0, LoadContext()).method

    def scores(method):
        text = method.encode_text(method.text_encoder.tokenizer(TEXTS))
        return method.similarity(method.encode_image(images()), text)

    assert torch.equal(scores(ours), scores(method))


@torch.no_grad()
def test_texts_are_cut_to_77_tokens(tmp_path):
    plain = Plain("ResNet-50")
    method = load(tmp_path, plain.state).method
    long = method.text_encoder.tokenizer([(" ".join(["clear"] * 200),)])
    assert long.input_ids.shape == (1, 77)
    close(method.encode_text(long).global_, plain.text(long.input_ids))


@pytest.mark.parametrize("kind", KINDS)
def test_without_its_tokenizer_a_file_is_still_an_image_encoder(tmp_path, kind, offline):
    plain = Plain(kind)
    source = CheckpointFile("row", str(save(tmp_path, plain.state)))
    source.check()
    backbone = source.load(0, LoadContext())
    assert not source.has_text and backbone.method is None
    assert "give --tokenizer PATH" in backbone.provenance["text"]
    with torch.no_grad():
        pooled = backbone.image_encoder(images()).global_
        head = plain.vision.fc.weight if kind == "ResNet-50" else plain.image_projection()
        close(F.normalize(pooled @ head.T, dim=-1), plain.image(images()))


@pytest.mark.parametrize(
    "kind, key",
    [
        ("ResNet-50", "vision_model.model.fc.weight"),
        ("Swin-T", "vision_model.projection_head.weight"),
        ("Swin-T", "text_model.model.encoder.layer.3.attention.self.query.weight"),
        ("ResNet-50", "logit_scale"),
    ],
)
def test_a_missing_or_renamed_tensor_is_refused(tmp_path, kind, key):
    state = Plain(kind).state
    value = state.pop(key)
    with pytest.raises(BenchError, match=rf"MedCLIP, {kind}, but 1 tensor.*: missing {key}\n"):
        CheckpointFile("row", str(save(tmp_path, state))).check()
    with pytest.raises(BenchError, match=f"missing {key}; unknown {key}_v2"):
        CheckpointFile("row", str(save(tmp_path, {**state, f"{key}_v2": value}))).check()


def test_a_projection_with_a_bias_is_refused(tmp_path):
    state = {**Plain("ResNet-50").state, "vision_model.model.fc.bias": torch.zeros(512)}
    with pytest.raises(BenchError, match=r"unknown vision_model\.model\.fc\.bias"):
        CheckpointFile("row", str(save(tmp_path, state))).check()


def test_a_text_encoder_of_one_layer_is_refused():
    import tiny_methods

    image = {**tiny_methods.CNN}
    text = {**tiny_methods.TEXT, "num_hidden_layers": 1}
    with pytest.raises(BenchError, match="only one\n  fix: give at least 2 layers"):
        ReleasedMedCLIP(image, text)


@pytest.mark.slow
def test_zero_shot_and_retrieval_run_on_a_file(tmp_path, tiny_sample, monkeypatch):
    path, vocabulary = save(tmp_path, Plain("ResNet-50").state), write_vocabulary(tmp_path)
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    given = ["--backbone", str(path), "--tokenizer", str(vocabulary), "--device", "cpu", "--resamples", "20"]
    tasks = {
        "zero_shot": ["--data", f"chexpert_5x200@{tiny_sample / 'chexpert'}", "--option", "per_class=2"],
        "retrieval": ["--data", f"mimic_cxr@{tiny_sample / 'mimic_cxr'}"],
    }
    for task, data in tasks.items():
        assert main(["eval", task, *given, *data, "--protocol", f"demo/{task}"]) == 0
    records = [json.loads(p.read_text()) for p in (tmp_path / "results/eval/runs").glob("*/record.json")]
    assert {record["spec"]["task"] for record in records} == set(tasks)
    for record in records:
        assert record["status"] == "done" and record["provenance"]["backbone"]["text"] == "yes"
        assert record["provenance"]["input"]["interpolation"] == "bicubic"
