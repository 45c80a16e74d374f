"""Models of open_clip give the features, texts and scores that open_clip gives."""

import copy
import json

import open_clip
import pytest
import small_open_clip as small
import torch
from grad_cam_by_hand import grad_cam_of
from torch.nn.functional import normalize

from prior_bench.backbones.open_clip import OpenClipModel
from prior_bench.backbones.reference import backbone_row
from prior_bench.errors import BenchError
from prior_bench.explain.grad_cam import grad_cam

TEXTS = ["no pneumothorax .", "the heart is normal . mild edema ."]
SIZE = {"vit": 32, "vit_siglip": 32, "resnet": 64, "bert": 160}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root, made = tmp_path_factory.mktemp("open_clip"), {}

    def get(kind):
        if kind not in made:
            made[kind] = (small.save(kind, root / kind), OpenClipModel(kind, str(root / kind)))
        return made[kind]

    return get


def pixels(size, count=2):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.mark.parametrize("kind", small.KINDS)
def test_vectors_and_logits(models, kind, context):
    model, source = models(kind)
    source.check()
    method, images = source.load(0, context).text_method, pixels(SIZE[kind])
    tokenizer = open_clip.get_tokenizer(f"local-dir:{source._model}")
    with torch.no_grad():
        vision = normalize(model.encode_image(images), dim=-1)
        text = normalize(model.encode_text(tokenizer(TEXTS)), dim=-1)
        bias = 0 if model.logit_bias is None else model.logit_bias
        logits = vision @ text.T * model.logit_scale.exp() + bias
        image = method.encode_image(images)
        words = method.encode_text(method.text_encoder.tokenizer([(one,) for one in TEXTS]))
        scores = method.similarity(image, words)
    assert torch.allclose(image.global_, vision, atol=1e-4)
    assert torch.allclose(words.global_, text, atol=1e-4)
    assert torch.allclose(scores, logits, atol=1e-4)
    assert (scores[:, 0] - scores[:, 1]).abs().max() > 1e-4
    assert method.has_bias == (kind == "vit_siglip")


@pytest.mark.parametrize("kind", ["vit", "bert", "resnet"])
def test_maps(models, kind, context):
    model, source = models(kind)
    encoder, images = source.load(0, context).image_encoder, pixels(SIZE[kind])
    with torch.no_grad():
        count = 4 if kind == "resnet" else 1
        expected = model.visual.forward_intermediates(images, indices=count, normalize_intermediates=True)
        maps = encoder.feature_maps(images, (0, 1, 2, 3))
        local = encoder(images).local
    last = expected["image_intermediates"][-1]
    assert torch.allclose(maps[-1], last, atol=1e-4)
    assert torch.allclose(local, last.flatten(2).transpose(1, 2), atol=1e-4)
    stride = SIZE[kind] // last.shape[-1]
    assert encoder.stage_strides == ((4, 8, 16, 32) if kind == "resnet" else (stride,) * 4)


@pytest.mark.parametrize("kind", small.KINDS)
def test_grad_cam(models, kind, context):
    backbone = models(kind)[1].load(0, context)
    images = pixels(SIZE[kind])
    with torch.no_grad():
        maps = grad_cam(backbone, backbone.text_method.eval(), images, [["no pneumothorax ."], TEXTS])
    for found, image, text in zip(maps, (0, 1, 1), ("no pneumothorax .", *TEXTS), strict=True):
        expected = grad_cam_of(backbone.text_method, images[image], text)
        assert torch.allclose(torch.from_numpy(found), expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("kind", ["vit", "bert"])
def test_another_size_is_that_of_open_clip(models, kind, context, tmp_path):
    """At another size the embeddings are those of a model that open_clip builds for this size."""
    model, source = models(kind)
    size = SIZE[kind] + (16 if kind == "vit" else 32)
    with torch.no_grad():
        if kind == "vit":
            other = open_clip.create_model(f"local-dir:{source._model}", force_image_size=size)
        else:
            other = copy.deepcopy(model)
            other.visual.trunk.set_input_size((size, size))
        expected = other.eval().encode_image(pixels(size))
        running = source.load(0, context).text_method
        found = running.image_vectors(pixels(size))
        built = OpenClipModel("x", source._model, input=dict(size=size)).load(0, context)
        rebuilt = built.text_method.image_vectors(pixels(size))
    assert torch.allclose(found, expected, atol=1e-4)
    assert torch.allclose(rebuilt, expected, atol=1e-4)
    assert running.image_encoder(pixels(size)).local.shape[1] > 16


def test_the_input_is_that_of_the_config(models, tmp_path):
    spec = models("vit")[1]._found.input
    assert spec.to_dict() == dict(
        size=32,
        channels=3,
        mean=(0.4, 0.5, 0.6),
        std=(0.2, 0.25, 0.3),
        resize="squash",
        interpolation="bicubic",
    )
    small.save("vit", tmp_path, preparation={"size": 32})
    spec = OpenClipModel("defaults", str(tmp_path))._found.input
    assert spec.mean == pytest.approx(open_clip.OPENAI_DATASET_MEAN) and spec.resize == "crop"


def test_weights_of_others_in_a_known_model_state_their_input(tmp_path, context, models, monkeypatch):
    model, source = models("vit")
    monkeypatch.setattr(open_clip, "list_models", lambda: ["small-vit"])
    monkeypatch.setattr(open_clip, "get_model_config", lambda name: small.KINDS["vit"])
    file = tmp_path / "weights.pt"
    constants = dict(
        input_resolution=torch.tensor(32), context_length=torch.tensor(20), vocab_size=torch.tensor(9)
    )
    torch.save({f"module.{k}": v for k, v in {**model.state_dict(), **constants}.items()}, file)
    with pytest.raises(BenchError, match="does not state the mean and the std.*\n.*--input"):
        OpenClipModel("x", f"small-vit@{file}").check()
    other = OpenClipModel("x", f"small-vit@{file}", input=dict(mean=0.4, std=0.3, resize="pad"))
    other.check()
    backbone = other.load(0, context)
    assert (backbone.input.mean, backbone.input.resize) == (0.4, "pad")
    with torch.no_grad():
        expected = model.encode_image(pixels(32))
        assert torch.allclose(backbone.text_method.image_vectors(pixels(32)), expected, atol=1e-5)
    row = backbone_row(f"open_clip:small-vit@{file}", input=dict(mean=0.4, std=0.3))
    assert row == {
        "name": "weights",
        "type": "open_clip",
        "model": f"small-vit@{file}",
        "input": dict(mean=0.4, std=0.3),
    }


def respelt(folder, **changes):
    path = folder / "open_clip_config.json"
    stored = json.loads(path.read_text())
    stored["model_cfg"] |= changes
    path.write_text(json.dumps(stored))


def without(folder, name):
    path = folder / "open_clip_pytorch_model.bin"
    tensors = torch.load(path)
    tensors.pop(name)
    torch.save(tensors, path)


SPOILED = {
    "no config": (lambda f: (f / "open_clip_config.json").unlink(), "open_clip"),
    "a config of something else": (
        lambda f: (f / "open_clip_config.json").write_text("{}"),
        "no config of open_clip",
    ),
    "no weights": (lambda f: (f / "open_clip_pytorch_model.bin").unlink(), "no weights"),
    "more layers": (
        lambda f: respelt(f, vision_cfg={**small.VIT, "layers": 3}),
        "missing visual.transformer",
    ),
    "fewer layers": (lambda f: respelt(f, vision_cfg={**small.VIT, "layers": 1}), "without counterpart"),
    "another width": (lambda f: respelt(f, embed_dim=8), "misshapen"),
    "a missing tensor": (lambda f: without(f, "visual.proj"), "missing visual.proj"),
    "an unknown key": (lambda f: respelt(f, vision_config={}), "cannot build"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_spoiled_folders_are_refused_before_any_work(tmp_path, what):
    small.save("vit", tmp_path)
    spoil, message = SPOILED[what]
    spoil(tmp_path)
    with pytest.raises(BenchError, match=message):
        OpenClipModel("spoiled", str(tmp_path)).check()


def test_a_text_tower_whose_config_is_not_here_is_named(tmp_path, monkeypatch):
    small.save("bert", tmp_path)
    (tmp_path / "config.json").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        BenchError, match="text tower, 'ORG/bert', is not in the local cache(.|\n)*hf download ORG/bert"
    ):
        OpenClipModel("x", str(tmp_path)).check()


def test_without_tokenizer_only_the_image_tower_is_used(tmp_path, context):
    small.save("bert", tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    (tmp_path / "tokenizer_config.json").unlink()
    source = OpenClipModel("mute", str(tmp_path))
    source.check()
    assert not source.has_text and "--tokenizer" in source.text_problem
    assert source.load(0, context).method is None


def test_unknown_names_are_refused_with_near_ones():
    with pytest.raises(BenchError, match="unknown model of open_clip 'ViT-B-31'\n.*ViT-B-32"):
        OpenClipModel("x", "ViT-B-31").check()
    with pytest.raises(BenchError, match="unknown weights of ViT-B-32 'openia'\n.*openai"):
        OpenClipModel("x", "ViT-B-32/openia").check()


def test_weights_that_open_clip_knows_have_their_own_activation_and_statistics():
    found = OpenClipModel("x", "ViT-B-32/openai")._found
    assert found.config["quick_gelu"] is True  # open_clip only warns
    assert found.input.mean == pytest.approx(open_clip.OPENAI_DATASET_MEAN)
    assert OpenClipModel("x", "ViT-B-16-SigLIP/webli")._found.input.resize == "squash"


def test_a_folder_is_recognised(models):
    folder = models("vit")[1]._model
    assert backbone_row(folder)["type"] == backbone_row(f"open_clip:{folder}")["type"] == "open_clip"
    with pytest.raises(BenchError, match="takes no pool"):
        backbone_row(folder, pool="avg")
