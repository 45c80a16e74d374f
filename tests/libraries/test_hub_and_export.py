"""Models by their name on the hub, without a network; and exported models."""

import pytest
import small_open_clip
import small_transformers
import torch
from small_transformers import word_tokenizer

from prior_bench.backbones.export import export
from prior_bench.backbones.hf import TransformersModel
from prior_bench.backbones.open_clip import OpenClipModel
from prior_bench.backbones.reference import backbone_row
from prior_bench.errors import BenchError

COMMIT = "0123456789012345678901234567890123456789"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A cache of the hub with models by name; the hub itself cannot be reached."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def add(name, save, kind):
        folder = tmp_path / "hub" / f"models--{name.replace('/', '--')}"
        save(kind, folder / "snapshots" / COMMIT)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text(COMMIT)
        return folder / "snapshots" / COMMIT

    return add


@pytest.mark.parametrize(
    ("kind", "source", "save"),
    [("clip", TransformersModel, small_transformers.save), ("vit", OpenClipModel, small_open_clip.save)],
)
def test_a_cached_name_is_its_commit(hub, kind, source, save, context):
    folder = hub("ORG/small", save, kind)
    named, local = source("n", "ORG/small"), source("n", str(folder))
    named.check()
    backbone = named.load(0, context)
    assert backbone.provenance["content"] == f"ORG/small@{COMMIT}" and backbone.provenance["commit"] == COMMIT
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        found = backbone.image_encoder(images).global_
        assert torch.equal(found, local.load(0, context).image_encoder(images).global_)
    assert named.identity(0) == source("m", "ORG/small").identity(0) != local.identity(0)
    assert (
        source("n", f"ORG/small@{COMMIT}")._found.input == named._found.input
        if source is TransformersModel
        else True
    )


@pytest.mark.parametrize("source", [TransformersModel, OpenClipModel])
def test_a_name_that_is_not_cached_is_refused_within_seconds(hub, source):
    with pytest.raises(BenchError, match="'ORG/absent' is not in the local cache(.|\n)*hf download"):
        source("x", "ORG/absent").check()


def test_missing_weights_are_noticed_before_any_work(hub):
    folder = hub("ORG/small", small_transformers.save, "vit")
    (folder / "model.safetensors").unlink()
    with pytest.raises(BenchError, match="not in the local cache"):
        TransformersModel("x", "ORG/small").check()
    with pytest.raises(BenchError, match="the weights 'openai' of ViT-B-32 is not in the local cache"):
        OpenClipModel("x", "ViT-B-32/openai").check()


def test_references():
    assert backbone_row("hf:ORG/some-model@v2") == {
        "name": "some-model",
        "type": "hf",
        "model": "ORG/some-model@v2",
    }
    expected = {"name": "M", "type": "open_clip", "model": "ORG/M"}
    assert backbone_row("hf-hub:ORG/M") == backbone_row("open_clip:hf-hub:ORG/M") == expected
    assert backbone_row("open_clip:ORG/M") == expected
    assert backbone_row("hf:ORG/M", pool="cls", input={"size": 384})["input"] == {"size": 384}
    assert backbone_row("hf:ORG/M", remote_code="M")["remote_code"] == "M"
    with pytest.raises(BenchError, match="ORG/M: is no file\n.*hf:ORG/M, or open_clip:ORG/M"):
        backbone_row("ORG/M")
    with pytest.raises(BenchError, match="takes no image_encoder"):
        backbone_row("hf:ORG/M", image_encoder="resnet50")


@pytest.mark.parametrize(
    ("kind", "source", "save"),
    [
        ("dual_encoder", TransformersModel, small_transformers.save),
        ("bert", OpenClipModel, small_open_clip.save),
    ],
)
def test_an_exported_model_gives_the_same_vectors(kind, source, save, tmp_path, context):
    save(kind, tmp_path / "own")
    backbone = source("own", str(tmp_path / "own")).load(0, context)
    (line,) = export(backbone, tmp_path / "out")
    assert str(tmp_path / "out" / "model") in line and (tmp_path / "out" / "provenance.json").is_file()
    other = source("out", str(tmp_path / "out" / "model")).load(0, context)
    images = torch.rand(2, 3, *[backbone.input.size] * 2)
    texts = [("no pneumothorax .",)]
    with torch.no_grad():
        first, second = (
            b.text_method.similarity(
                b.text_method.encode_image(images),
                b.text_method.encode_text(b.text_method.text_encoder.tokenizer(texts)),
            )
            for b in (backbone, other)
        )
    assert torch.equal(first, second)


def test_python_takes_what_the_command_line_takes(tmp_path):
    import prior_bench as pb

    small_transformers.save("vit", tmp_path / "vit")
    backbone = pb.load_backbone(tmp_path / "vit", pool="mean", input=dict(size=48), device="cpu")
    assert backbone.input.size == 48 and backbone.provenance["pool"] == "mean"


@pytest.mark.parametrize(
    ("kind", "source", "save"),
    [("vit", TransformersModel, small_transformers.save), ("vit", OpenClipModel, small_open_clip.save)],
)
def test_each_change_of_the_user_changes_the_identity(kind, source, save, tmp_path):
    save(kind, tmp_path / "model")
    word_tokenizer(tmp_path / "tokens")
    changes = [{}, {"input": {"mean": 0.3}}, {"tokenizer": str(tmp_path / "tokens")}]
    if source is TransformersModel:
        changes.append({"pool": "mean"})
    found = {source("name", str(tmp_path / "model"), **change).identity(0) for change in changes}
    assert len(found) == len(changes)
    assert source("other name", str(tmp_path / "model")).identity(1) in found
