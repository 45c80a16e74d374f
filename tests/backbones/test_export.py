"""What is exported gives the same features in timm and in transformers."""

import json

import pytest
import timm
import torch
from transformers import AutoModel, AutoTokenizer, TimmWrapperModel

from prior_bench.api import Backbone, LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.export import export
from prior_bench.checkpoints.files import read_tensors
from prior_bench.encoders.hub import load_from_hub
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.registry import METHODS

TEXTS = [("The heart is enlarged.",), ("No pleural effusion.", "The lungs are clear.")]
RESNET = dict(model_name="resnet18", in_channels=1, model_args=dict(channels=(8, 8, 16, 16)))


def backbone_of(encoder, method=None):
    return Backbone("row", encoder.eval(), method, encoder.input, "identity", {"source": "test"})


def method():
    small = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    tokenizer = ReportTokenizer.train(TEXTS, 200, 32)
    text = dict(config=small, tokenizer=tokenizer.to_json())
    image = dict(**RESNET, input=dict(size=64, mean=0.4, std=0.2))
    return METHODS.build(dict(type="convirt", image_encoder=image, text_encoder=text, embed_dim=8)).eval()


@pytest.mark.parametrize(
    "arguments",
    [
        dict(**RESNET, input=dict(size=64)),
        dict(model_name="vit_tiny_patch16_224", input=dict(size=96)),
    ],
    ids=["resnet", "vit"],
)
@torch.no_grad()
def test_image_encoder(tmp_path, arguments):
    encoder = ImageEncoder(**arguments)
    export(backbone_of(encoder), tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["image_encoder", "provenance.json"]
    folder, size = tmp_path / "out/image_encoder", encoder.input.size
    images = torch.randn(2, encoder.input.channels, size, size)
    wanted = encoder(images)
    config = json.loads((folder / "config.json").read_text())
    by_path = timm.create_model(
        config["architecture"],
        checkpoint_path=folder / "model.safetensors",
        num_classes=0,
        **config.get("model_args", {}),
    )
    assert torch.equal(by_path.eval()(images), wanted.global_)
    by_folder = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    assert torch.equal(by_folder.eval()(images), wanted.global_)
    wrapped = TimmWrapperModel.from_pretrained(folder).eval()(images)
    assert torch.equal(wrapped.pooler_output, wanted.global_)
    assert config["pretrained_cfg"]["mean"] == [0.5] * encoder.input.channels


def test_what_was_trained_on_stays_known(tmp_path):
    encoder, data = ImageEncoder(**RESNET), dict(dataset="mimic_cxr", split_rule="default", splits=["train"])
    export(backbone_of(encoder), tmp_path / "out", {"training_data": [data]})
    folder = tmp_path / "out/image_encoder"
    assert CheckpointFile("row", str(folder)).training_data() == [data]
    assert TimmWrapperModel.from_pretrained(folder) is not None
    assert timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0) is not None


@torch.no_grad()
def test_text_encoder(tmp_path):
    made = method()
    lines = export(backbone_of(made.image_encoder, made), tmp_path / "out")
    assert any("text_encoder" in line for line in lines)
    folder = tmp_path / "out/text_encoder"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    batch = tokenizer([" ".join(text) for text in TEXTS], padding=True, return_tensors="pt")
    ours = made.text_encoder.tokenizer(TEXTS)
    assert torch.equal(batch.input_ids, ours.input_ids)
    assert torch.equal(batch.attention_mask, ours.attention_mask)
    model = AutoModel.from_pretrained(folder, add_pooling_layer=False).eval()
    found = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).last_hidden_state
    torch.testing.assert_close(found, made.text_encoder(ours).tokens)


@torch.no_grad()
def test_attention_pool_is_written_beside(tmp_path):
    encoder = ImageEncoder(**RESNET, pool="attention", input=dict(size=64))
    lines = export(backbone_of(encoder), tmp_path / "out")
    assert any("attention_pool.safetensors" in line for line in lines)
    images = torch.randn(2, 1, 64, 64)
    wrapped = TimmWrapperModel.from_pretrained(tmp_path / "out/image_encoder").eval()
    assert torch.equal(wrapped(images).last_hidden_state.flatten(2).mT, encoder(images).local)


def flipped(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


def test_one_changed_bit_is_noticed_in_each_file(tmp_path):
    made = method()
    encoder = ImageEncoder(**RESNET, pool="attention", input=dict(size=64, mean=0.4, std=0.2))
    export(backbone_of(encoder, made), tmp_path / "out")
    image, text = tmp_path / "out/image_encoder", str(tmp_path / "out/text_encoder")
    row = CheckpointFile("row", str(image))
    row.load(0, LoadContext())
    load_from_hub(AutoModel, text, "the text model")
    for path in (image / "model.safetensors", image / "attention_pool.safetensors"):
        read_tensors(path)
        flipped(path)
        with pytest.raises(BenchError, match=f"{path.name}: damaged: its tensors are not those .*sha256"):
            read_tensors(path)
    with pytest.raises(BenchError, match="sha256"):
        CheckpointFile("row", str(image)).load(0, LoadContext())
    flipped(tmp_path / "out/text_encoder/model.safetensors")
    with pytest.raises(BenchError, match="text_encoder/model.safetensors: damaged"):
        load_from_hub(AutoModel, text, "the text model")


def test_nothing_is_overwritten_or_half_written(tmp_path, monkeypatch):
    encoder = ImageEncoder(**RESNET)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/precious.txt").write_text("x")
    with pytest.raises(BenchError, match="full: already exists and is not empty"):
        export(backbone_of(encoder), tmp_path / "full")
    made = method()

    def broken(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(made.text_encoder.model, "save_pretrained", broken)
    with pytest.raises(BenchError, match="out: cannot be written: no space"):
        export(backbone_of(made.image_encoder, made), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["full"]
