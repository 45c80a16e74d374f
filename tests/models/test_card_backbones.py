"""The name of a card as a backbone: where its weights are taken from, and what it was trained on."""

import fake_parts
import numpy as np
import pytest
import small_transformers
import torch

from prior_bench.api import LoadContext
from prior_bench.backbones.card import CardModel
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.hf import TransformersModel
from prior_bench.backbones.open_clip import OpenClipModel
from prior_bench.backbones.reference import backbone_row
from prior_bench.checkpoints.native import save_image_encoder
from prior_bench.data.references import resolve
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError, ErrorList, NotThereError
from prior_bench.models import cards
from prior_bench.models.cards import model_card, row_of
from prior_bench.registry import CARDS
from prior_bench.suites.leakage import exposure_of, leaks_of_pretraining

SMALL = {
    "title": "Small",
    "weights": {"where": "send a letter", "file": "small.safetensors"},
    "access": "request",
    "licence": "none",
    "vision": "ResNet",
    "input": "stated by its file",
    "trained_on": {"mimic_cxr": "it has seen them"},
    "loads": "whole",
    "row": {"type": "checkpoint", "path": "{weights}"},
}
HUB = {
    **SMALL,
    "title": "On a hub",
    "weights": {"where": "a hub"},
    "row": {"type": "hf", "model": "ORG/clip"},
}


def forget():
    """Read the cards again."""
    cards._as_stored.cache_clear()
    model_card.cache_clear()


@pytest.fixture(autouse=True)
def own_cards(tmp_path, monkeypatch):
    """Two cards of another package; the data root and the hub's cache are empty."""
    CARDS.register_module("tests", force=True, module=lambda: {"small": SMALL, "on_a_hub": HUB})
    forget()
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    yield
    CARDS._module_dict.pop("tests")
    forget()


def save_small(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    encoder = ImageEncoder("resnet18", model_args={"layers": (1, 1, 1, 1), "channels": (4, 4, 4, 4)})
    save_image_encoder(path, encoder, {})
    return path


def test_the_name_resolves_to_the_expected_file_or_the_given_one(tmp_path):
    expected = tmp_path / "data/models/small/small.safetensors"
    assert backbone_row("small") == {"name": "small", "type": "card", "model": "small"}
    assert row_of("small") == {"type": "checkpoint", "path": str(expected)}
    row = backbone_row("small@mine.safetensors")
    assert row == {"name": "small", "type": "card", "model": "small", "weights": "mine.safetensors"}
    assert row_of("small", "mine.safetensors")["path"] == "mine.safetensors"


def test_a_model_of_a_hub_is_taken_from_the_folder_if_there_is_one(tmp_path):
    assert row_of("on_a_hub") == {"type": "hf", "model": "ORG/clip"}
    folder = tmp_path / "data/models/on_a_hub"
    folder.mkdir(parents=True)
    assert row_of("on_a_hub") == {"type": "hf", "model": str(folder)}
    assert row_of("on_a_hub", "elsewhere")["model"] == "elsewhere"
    assert row_of("chexzero", "x.pt")["model"] == "ViT-B-32-quickgelu@x.pt"


def test_a_downloaded_folder_of_timm_stands_for_the_hub(tmp_path):
    import timm
    from safetensors.torch import save_file

    folder = tmp_path / "data/models/imagenet_resnet50"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"architecture": "resnet50", "num_classes": 1000}')
    model = timm.create_model("resnet50")
    save_file(model.state_dict(), folder / "model.safetensors")
    source = CardModel("row", "imagenet_resnet50")
    source.check()
    assert row_of("imagenet_resnet50")["file"] == str(folder)
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["file"] == str(folder / "model.safetensors")
    assert backbone.input.mean == (0.485, 0.456, 0.406)
    assert torch.equal(backbone.image_encoder.model.layer4[2].conv3.weight, model.layer4[2].conv3.weight)
    (folder / "model.safetensors").unlink()
    with pytest.raises(BenchError, match="folder without .*\n  fix: give the weights file itself"):
        CardModel("row", "imagenet_resnet50")


def test_embeddings_stand_for_a_model_that_cannot_be_loaded(tmp_path):
    folder = tmp_path / "data/models/g2d"
    assert row_of("g2d") == {"type": "embeddings", "file": str(folder / "embeddings.parquet")}
    folder.mkdir(parents=True)
    np.savez(folder / "embeddings.npz", ids=np.array(["a", "b"]), images=np.eye(2, dtype=np.float32))
    assert row_of("g2d")["file"] == str(folder / "embeddings.npz")
    source = CardModel("row", "g2d")
    source.check()
    assert source.stored is not None and not source.has_text
    assert {data for data, _ in source.known_exposure()} == {"mimic_cxr"}
    assert row_of("small", "vectors.npz") == {"type": "embeddings", "file": "vectors.npz"}


def test_the_same_weights_without_the_card_have_the_same_identity(tmp_path):
    path = save_small(tmp_path / "data/models/small/small.safetensors")
    source, plain = CardModel("row", "small"), CheckpointFile("row", str(path))
    source.check()
    assert source.identity(0) == plain.identity(0) and not source.has_text
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["card"] == "small" and backbone.image_encoder.dim == 4


def test_missing_weights_say_where_they_are_had(tmp_path):
    with pytest.raises(NotThereError, match="the weights of Small are not there\n.*send a letter") as caught:
        CardModel("row", "small").check()
    assert str(caught.value.where).endswith("data/models/small/small.safetensors")
    with pytest.raises(NotThereError, match="hf download ORG/clip --local-dir .*models/on_a_hub"):
        CardModel("row", "on_a_hub").check()
    with pytest.raises(NotThereError, match="hf download timm/resnet50.tv_in1k --local-dir .*imagenet_resn"):
        CardModel("row", "imagenet_resnet50").check()
    with pytest.raises(NotThereError, match="cannot be loaded, and its embeddings are not there"):
        CardModel("row", "g2d").check()
    with pytest.raises(NotThereError, match="'openai' of ViT-B-32-quickgelu"):
        CardModel("row", "clip_vit_b32").check()


def test_arguments_go_to_the_source_of_the_cards_type(tmp_path):
    row = backbone_row("small", input={"size": 64}, tokenizer="words")
    assert row["input"] == {"size": 64} and row["tokenizer"] == "words"
    with pytest.raises(BenchError, match="a model of checkpoint takes no pool"):
        backbone_row("small", pool="cls")
    with pytest.raises(ErrorList, match="pool"):
        CardModel("row", "small", pool="cls")
    chexzero = CardModel("row", "chexzero", input={"size": 256})._source
    assert chexzero._input["size"] == 256 and chexzero._input["resize"] == "pad", "the card's others are kept"


def test_a_folder_of_the_library_loads_through_its_card(tmp_path):
    small_transformers.save("clip", tmp_path / "data/models/on_a_hub")
    source = CardModel("row", "on_a_hub")
    source.check()
    assert source.has_text and source.method_class is not None
    assert source.load(0, LoadContext()).method is not None


def test_the_training_data_of_a_card_is_a_remark_on_that_data_only(tmp_path):
    manifest = fake_parts.read_fake(tmp_path)
    save_small(tmp_path / "data/models/small/small.safetensors")
    for source in (CardModel("row", "chexzero"), CardModel("row", "small")):
        for data in ("mimic_cxr", "mimic_5x200"):
            (leak,) = leaks_of_pretraining(source, resolve(data), manifest)
            assert not leak.certain
        assert leaks_of_pretraining(source, resolve("chexpert"), manifest) == []
    (told,) = exposure_of(CardModel("row", "chexzero"))["known_exposure"]
    assert told == ["mimic_cxr", "pre-trained on MIMIC-CXR's images and impressions, by its authors' code"]


def test_the_same_hub_name_without_the_card_has_the_same_training_data():
    expected = {"mimic_cxr", "chexpert", "nih_chestxray14", "padchest"}
    for reference in ("microsoft/rad-dino", "microsoft/rad-dino@abc"):
        assert {data for data, _ in TransformersModel("r", reference).known_exposure()} == expected
    assert TransformersModel("r", "ORG/clip").known_exposure() == [("mimic_cxr", "it has seen them")]
    assert TransformersModel("r", "ORG/other").known_exposure() == []
    assert OpenClipModel("r", "ViT-B-32-quickgelu@x.pt").known_exposure() == []


def test_an_unknown_name_suggests_cards():
    with pytest.raises(BenchError, match="did you mean chexzero"):
        backbone_row("chexzer")
