"""CXR-CLIP's released files: vectors and scores of the authors' module, and what is refused."""

from dataclasses import replace

import pytest
import torch
from known_files import filed_swin, headless, of_cxr_clip, prefixed, resnet50, swin
from official_weights import drawn, pixels
from two_tower_files import SMALL, WORDS, golden, small_bert, texts, write_small_vocabulary

from baselines.cxr_clip_released import ReleasedCXRCLIP, layouts
from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.convert import convert
from prior_bench.backbones.image_encoders import hash_of
from prior_bench.checkpoints.files import sha256
from prior_bench.checkpoints.layouts import layout_named
from prior_bench.errors import BenchError
from prior_bench.registry import LAYOUTS
from prior_bench.versions import machinery, raised

KINDS = {"resnet": "CXR-CLIP, ResNet-50", "swin": "CXR-CLIP, Swin-T"}


def small_layouts():
    """The layouts with a small text encoder."""
    shape = ("text_projection.projection.weight", (512, 32))
    return tuple(
        replace(
            layout,
            name=f"small {layout.name}",
            shapes=(shape,),
            vocabulary=WORDS,
            method={**layout.method, "text_encoder": {"config": SMALL}},
        )
        for layout in layouts()
    )


@pytest.fixture(autouse=True)
def registered(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    LAYOUTS.register_module("small_cxr_clip", force=True, module=small_layouts)
    yield
    LAYOUTS._module_dict.pop("small_cxr_clip")


def state_of(kind):
    if kind == "resnet":
        image, width = prefixed("image_encoder.resnet.", headless(resnet50())), 2048
    else:
        image, width = prefixed("image_encoder.image_encoder.", filed_swin(swin())), 768
    return drawn(of_cxr_clip(image, width, small_bert()))


def save(tmp_path, state):
    torch.save({"model": state, "config": {"model": {"temperature": 0.07}}}, path := tmp_path / "best.tar")
    return path


def load(tmp_path, state, **further):
    found = CheckpointFile("row", str(save(tmp_path, state)), **further)
    found.check()
    return found, found.load(0, LoadContext())


def close(found, wanted):
    wanted = torch.tensor(wanted)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=2e-5 * float(wanted.abs().max()))


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_vectors_and_scores_are_those_of_the_authors_module(tmp_path, kind):
    known = golden("cxr_clip")
    wanted = known[kind]
    given = str(write_small_vocabulary(tmp_path))
    source, backbone = load(tmp_path, state_of(kind), tokenizer=given)
    method = backbone.method
    assert isinstance(method, ReleasedCXRCLIP) and source.method_class is ReleasedCXRCLIP
    image = method.encode_image(pixels(2, wanted["size"]))
    close(image.global_[:, :12], wanted["image"])
    text = method.encode_text(texts(known["lengths"]))
    close(text.global_[:, :12], wanted["text"])
    scores = method.similarity(image, text)
    torch.testing.assert_close(scores, torch.tensor(wanted["cosines"]), rtol=1e-3, atol=2e-6)
    assert image.local is None and len(set(scores.flatten().tolist())) == 6


@torch.no_grad()
def test_a_text_is_its_last_token_whatever_its_batch(tmp_path):
    given = str(write_small_vocabulary(tmp_path))
    _, backbone = load(tmp_path, state_of("resnet"), tokenizer=given)
    method = backbone.method
    both = [("No effusion.",), ("The heart is enlarged.", "Lungs are clear.")]
    together = method.encode_text(method.text_encoder.tokenizer(both)).global_
    alone = torch.cat([method.encode_text(method.text_encoder.tokenizer([text])).global_ for text in both])
    torch.testing.assert_close(together, alone)
    long = method.text_encoder.tokenizer([("clear " * 400,)])
    assert long.input_ids.shape == (1, 256)


def test_without_its_tokenizer_a_file_is_an_image_encoder_with_the_key_of_before(tmp_path):
    source, backbone = load(tmp_path, state_of("resnet"))
    assert not source.has_text and backbone.method is None and "--tokenizer PATH" in source.text_problem
    encoder = layouts()[0].image_encoder
    use = [None, {}, raised(machinery(source._parts)), {"image_encoder": encoder}]
    assert source.identity(0) == hash_of("checkpoint", sha256(source.path), *use)
    assert all(layout.keyed_by_image for layout in layouts())


@torch.no_grad()
def test_the_temperature_is_only_in_the_loss(tmp_path):
    state = state_of("resnet")
    given = str(write_small_vocabulary(tmp_path))
    scores = []
    for scale in (0.0, 4.0):
        _, backbone = load(tmp_path, {**state, "logit_scale": torch.tensor(scale)}, tokenizer=given)
        method = backbone.method
        assert float(method.logit_scale) == scale
        found = method.encode_image(pixels(2, 96)), method.encode_text(texts((4, 6)))
        scores.append(method.similarity(*found))
    assert torch.equal(*scores)


@pytest.mark.parametrize(
    "kind, key",
    [
        ("resnet", "text_projection.projection.bias"),
        ("swin", "image_projection.projection.weight"),
        ("swin", "text_encoder.text_encoder.encoder.layer.1.attention.self.query.weight"),
    ],
)
def test_a_missing_or_renamed_tensor_is_refused(tmp_path, kind, key):
    state = state_of(kind)
    value = state.pop(key)
    for change, message in (({}, r"\n"), ({f"{key}_v2": value}, rf"; unknown {key}_v2")):
        path = save(tmp_path, {**state, **change})
        with pytest.raises(BenchError, match=rf"{KINDS[kind]}, but .*missing {key}{message}") as caught:
            CheckpointFile("row", str(path)).check()
        assert "--image-encoder" in str(caught.value), "its image encoder can still be used"


def test_a_head_of_two_layers_is_refused(tmp_path):
    state = state_of("resnet") | {"image_projection.fc.weight": torch.zeros(512, 512)}
    with pytest.raises(BenchError, match=r"unknown image_projection\.fc\.weight"):
        CheckpointFile("row", str(save(tmp_path, state))).check()


@pytest.mark.slow
@torch.no_grad()
def test_a_converted_file_gives_the_same_scores(tmp_path):
    given = str(write_small_vocabulary(tmp_path))
    _, backbone = load(tmp_path, state_of("swin"), tokenizer=given)
    convert(tmp_path / "best.tar", out := tmp_path / "ours.safetensors", tokenizer=given)
    ours = CheckpointFile("row", str(out)).load(0, LoadContext()).method

    def scores(method):
        return method.similarity(method.encode_image(pixels(2, 224)), method.encode_text(texts((4, 6))))

    assert torch.equal(scores(ours), scores(backbone.method))


def test_layouts_have_the_tokenizer_and_length_of_the_authors_config():
    for name in KINDS.values():
        layout = layout_named(name)
        assert (layout.vocabulary, layout.max_tokens) == (28996, 256)
        assert layout.tokenizer == "emilyalsentzer/Bio_ClinicalBERT" and len(layout.exposure) == 3
