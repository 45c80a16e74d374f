"""BenchX's files: vectors and scores of plain modules with the structure of its code."""

import json
from dataclasses import replace

import benchx_files
import pytest
import torch
import torch.nn.functional as F
from benchx_files import ClipViT, PlainViT, mlp, normed
from known_files import light, resnet50, shaken
from torch import nn
from two_tower_files import SMALL, WORDS, small_bert, write_small_vocabulary

from baselines.benchx_released import ReleasedBenchX, layouts
from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.registry import LAYOUTS

TEXTS = [("the heart is enlarged .",), ("no pleural effusion .",), ("clear",)]
TOWERS = ("ConVIRT", "M-FLAG", "REFERS", "REFERS converted")


def small_layouts():
    """BenchX's layouts with a small text encoder, which is told apart by its width."""
    words = {
        "ConVIRT": "linguistic.encoder.embeddings.word_embeddings.weight",
        "M-FLAG": "proj_t.0.weight",
        "REFERS": "contrastive_bert.fc.weight",
    }
    shapes = {"ConVIRT": (WORDS, 32), "M-FLAG": (2048, 32), "REFERS": (2304, 32)}
    found = []
    for layout in layouts():
        kind = layout.name.split()[0]
        if layout.has_text:
            method = {**layout.method, "text_encoder": {"config": SMALL, "pool": "cls"}}
            found.append(
                replace(
                    layout,
                    name=f"small {layout.name}",
                    shapes=((words[kind], shapes[kind]), *layout.shapes[1:]),
                    method=method,
                    vocabulary=WORDS,
                )
            )
    return tuple(found)


@pytest.fixture(autouse=True)
def registered():
    LAYOUTS.register_module("small_benchx", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_benchx")


class Plain:
    """One of BenchX's models: the file, and the vectors that its code computes."""

    def __init__(self, kind):
        torch.manual_seed(0)
        self.kind, self.bert = kind, shaken(small_bert())
        if kind.startswith("REFERS"):
            self.vision, self.head = shaken(PlainViT()), nn.Linear(32, 2304)
            nn.init.normal_(self.vision.embeddings.position_embeddings, std=0.5)
            beginning = "visual.vit." if kind.endswith("converted") else "visual.vit.transformer."
            self.state = benchx_files.refers(self.vision, self.bert, self.head, beginning)
            return
        self.vision = shaken(resnet50())
        make = mlp if kind == "ConVIRT" else normed
        self.heads = shaken(make(2048)), shaken(make(32))
        if kind == "ConVIRT":
            self.state = benchx_files.convirt(self.vision, self.bert, self.heads)
        else:
            self.state = benchx_files.m_flag(self.vision, self.bert, self.heads)

    def image(self, pixels):
        if self.kind.startswith("REFERS"):
            return torch.cat([self.vision(pixels)[:, 0]] * 3, dim=1)
        return self.heads[0](self.features(pixels))

    def features(self, pixels):
        if self.kind.startswith("REFERS"):
            return self.vision(pixels)[:, 0]
        return nn.Sequential(*list(self.vision.children())[:-1])(pixels).flatten(1)

    def text(self, batch):
        found = self.bert(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
        if self.kind.startswith("M-FLAG"):
            return self.heads[1](found.last_hidden_state[:, 0])
        return (self.head if self.kind.startswith("REFERS") else self.heads[1])(found.pooler_output)


def save(tmp_path, state, wrapper="model"):
    torch.save({wrapper: state} if wrapper else state, path := tmp_path / "file.pth")
    return path


def load(tmp_path, state):
    tokenizer = str(write_small_vocabulary(tmp_path))
    source = CheckpointFile("row", str(save(tmp_path, state)), tokenizer=tokenizer)
    source.check()
    return source.load(0, LoadContext())


def images(count=2):
    return torch.rand(count, 3, 224, 224, generator=torch.Generator().manual_seed(1)) * 2 - 1


def close(found, wanted):
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", TOWERS)
@torch.no_grad()
def test_vectors_and_scores_are_those_of_plain_torch(tmp_path, kind):
    plain = Plain(kind)
    backbone = load(tmp_path, plain.state)
    method = backbone.method
    assert isinstance(method, ReleasedBenchX)
    assert backbone.provenance["layout"].startswith(f"small {kind.split()[0]} (BenchX)")
    close(backbone.image_encoder(images()).global_, plain.features(images()))
    image = method.encode_image(images())
    close(image.global_, plain.image(images()))
    batch = method.text_encoder.tokenizer(TEXTS)
    assert len(set(batch.attention_mask.sum(dim=1).tolist())) > 1, "texts of several lengths"
    text = method.encode_text(batch)
    close(text.global_, plain.text(batch))
    wanted = F.cosine_similarity(plain.image(images())[:, None], plain.text(batch)[None], dim=-1)
    close(method.similarity(image, text), wanted)
    assert wanted.flatten().unique().numel() == 6


@pytest.mark.slow
@torch.no_grad()
def test_ptunifier_is_the_mean_of_the_normed_patches_of_eleven_blocks(tmp_path):
    torch.manual_seed(0)
    vision = shaken(ClipViT())
    nn.init.normal_(vision.positional_embedding, std=0.5)
    nn.init.normal_(vision.class_embedding, std=0.5)
    source = CheckpointFile("row", str(save(tmp_path, benchx_files.ptunifier(vision), "state_dict")))
    source.check()
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["layout"] == "PTUnifier (BenchX), ViT-B/16" and backbone.method is None
    found, tokens = backbone.image_encoder(images()), vision(images())
    close(found.global_, tokens[:, 1:].mean(1))
    assert float((found.global_ - tokens[:, 0]).abs().max()) > 0.1
    close(found.local, tokens[:, 1:])


def test_ptunifier_with_all_blocks_of_clip_is_refused(tmp_path):
    with torch.device("meta"):
        deeper = benchx_files.ptunifier(ClipViT(12))
    state = {name: torch.zeros(1, dtype=t.dtype)[0].expand(t.shape) for name, t in deeper.items()}
    with pytest.raises(BenchError, match=r"unknown vision_encoder\.visual\.transformer\.resblocks\.11\."):
        CheckpointFile("row", str(save(tmp_path, state))).check()


def test_positions_of_another_size_are_refused_by_name(tmp_path):
    state = {**light("PTUnifier (BenchX), ViT-B/16")}
    key = "vision_encoder.visual.positional_embedding"
    state[key] = torch.zeros(1).expand(325, 768)
    with pytest.raises(BenchError, match=rf"misshapen {key} \[325, 768\] instead of \[1, 197, 768\]"):
        CheckpointFile("row", str(save(tmp_path, state))).check()


@pytest.mark.parametrize(
    "kind, key",
    [
        ("ConVIRT", "linguistic.encoder.encoder.layer.1.output.dense.bias"),
        ("ConVIRT", "lin_proj.2.weight"),
        ("M-FLAG", "proj_v.4.running_mean"),
        ("M-FLAG", "lm_model.embeddings.token_type_embeddings.weight"),
        ("REFERS", "contrastive_bert.text_encoder.pooler.dense.weight"),
        ("REFERS", "visual.vit.transformer.encoder.layer.3.attn.out.weight"),
        ("REFERS converted", "visual.vit.embeddings.cls_token"),
    ],
)
def test_a_missing_tensor_is_refused_by_name(tmp_path, kind, key):
    state = Plain(kind).state
    del state[key]
    with pytest.raises(BenchError, match=rf"1 tensor\(s\) do not fit: missing {key}\n"):
        CheckpointFile("row", str(save(tmp_path, state))).check()


def test_missing_queries_of_refers_are_told_with_the_keys_that_cannot_be_joined(tmp_path):
    state = Plain("REFERS").state
    del state["visual.vit.transformer.encoder.layer.3.attn.query.weight"]
    with pytest.raises(BenchError, match=r"missing visual\.vit\.transformer\.encoder\.layer\.3\.attn\.qkv"):
        CheckpointFile("row", str(save(tmp_path, state))).check()


@pytest.mark.slow
@torch.no_grad()
def test_a_refers_without_the_part_for_texts_is_an_image_encoder_by_name(tmp_path):
    plain = Plain("REFERS")
    state = {name: t for name, t in plain.state.items() if name.startswith("visual.")}
    path = save(tmp_path, state)
    statistics = {"mean": 0.4978, "std": 0.2449}
    source = CheckpointFile("row", str(path), image_encoder="vit_base_patch16_224", input=statistics)
    source.check()
    close(source.load(0, LoadContext()).image_encoder(images()).global_, plain.features(images()))
    with pytest.raises(BenchError, match="give those of its training: --input"):
        CheckpointFile("row", str(path), image_encoder="vit_base_patch16_224").check()


def test_a_convirt_with_another_text_model_is_an_image_encoder(tmp_path):
    state = light("ConVIRT (BenchX), ResNet-50, image encoder")
    source = CheckpointFile("row", str(save(tmp_path, state)))
    source.check()
    assert not source.has_text


def test_unknown_heads_are_refused():
    import tiny_methods

    with pytest.raises(BenchError, match="unknown heads 'copy'"):
        tiny_methods.build("benchx_released", heads="copy")


@pytest.mark.parametrize(
    "name, beginning",
    [
        ("MGCA, ResNet-50", ""),
        ("MedKLIP, ResNet-50", "module."),
        ("MRM, ViT-B/16", ""),
        ("GLoRIA, ResNet-50", ""),
    ],
)
def test_files_that_have_the_names_of_their_authors_are_read_as_these(tmp_path, name, beginning):
    import released_files

    keys = {"MGCA, ResNet-50": "mgca_resnet50", "GLoRIA, ResNet-50": "gloria_resnet50"}
    state = released_files.light(keys[name]) if name in keys else light(name)
    wrapper = "state_dict" if name in keys else "model"
    path = save(tmp_path, {beginning + key: tensor for key, tensor in state.items()}, wrapper)
    source = CheckpointFile("row", str(path))
    source.check()
    assert source.known_exposure()


@pytest.mark.slow
def test_zero_shot_and_retrieval_run_on_a_file(tmp_path, tiny_sample, monkeypatch):
    path, vocabulary = save(tmp_path, Plain("M-FLAG").state), write_small_vocabulary(tmp_path)
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
        assert record["provenance"]["input"]["mean"] == 0.4978
