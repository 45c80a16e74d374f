import pytest
import torch

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.convert import convert
from prior_bench.checkpoints.native import load_method, read_info, save_method
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.registry import BACKBONES, METHODS

TEXTS = [("The heart is enlarged.",), ("No pleural effusion.", "The lungs are clear.")]


@pytest.fixture
def saved(tmp_path):
    config = dict(
        type="convirt",
        image_encoder=dict(
            model_name="resnet18",
            in_channels=1,
            input=dict(size=32, mean=0.4),
            model_args=dict(channels=(8, 8, 8, 8)),
        ),
        text_encoder=dict(
            config=dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32),
            tokenizer=ReportTokenizer.train(TEXTS, 200, 32),
        ),
        embed_dim=8,
        image_to_text_weight=0.5,
    )
    method = METHODS.build(dict(config)).eval()
    path = save_method(tmp_path / "deep/er/model.safetensors", method, config, {"seed": 3})
    return method, path


def test_round_trip(saved):
    method, path = saved
    assert [p.name for p in path.parent.iterdir()] == ["model.safetensors"]
    again, info = load_method(path)
    assert info.provenance == {"seed": 3} and info.input == dict(
        size=32, channels=1, mean=0.4, std=0.5, resize="pad"
    )
    assert again.image_to_text_weight == 0.5 and again.image_encoder.input == method.image_encoder.input
    images, tokens = torch.randn(2, 1, 32, 32), method.text_encoder.tokenizer(TEXTS)
    want = method.similarity(method.encode_image(images), method.encode_text(tokens))
    got = again.similarity(again.encode_image(images), again.encode_text(again.text_encoder.tokenizer(TEXTS)))
    assert torch.equal(got, want)


def test_saving_is_reproducible_and_a_failed_one_leaves_the_old_file(saved, monkeypatch):
    method, path = saved
    before = path.read_bytes()
    config = {"type": "convirt", "embed_dim": 8, "image_to_text_weight": 0.5}
    save_method(path, method, config, {"seed": 3})
    assert path.read_bytes() == before

    def full_disk(*_):
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(BenchError, match="model.safetensors: cannot be written: no space"):
        save_method(path, method, config, {"seed": 4})
    assert path.read_bytes() == before and [p.name for p in path.parent.iterdir()] == ["model.safetensors"]


def test_a_method_whose_tensors_changed_is_refused(saved):
    method, path = saved
    del method.text_head
    config = {"type": "convirt", "embed_dim": 8}
    save_method(path, method, config, {})
    with pytest.raises(BenchError, match="4 tensors do not fit method 'convirt': text_head.0.bias"):
        load_method(path)


def test_foreign_files_are_not_ours(tmp_path):
    torch.save({"conv1.weight": torch.ones(1)}, tmp_path / "w.pth")
    assert read_info(tmp_path / "w.pth") is None
    with pytest.raises(BenchError, match="not a checkpoint written by prior-bench"):
        load_method(tmp_path / "w.pth")


def test_as_a_row(saved):
    method, path = saved
    source = BACKBONES.build(dict(type="checkpoint", name="mine", path=str(path)))
    source.check()
    backbone = source.load(0, LoadContext())
    assert source.has_text and backbone.method is not None
    assert backbone.identity == source.identity(0) == source.identity(5)
    with pytest.raises(BenchError, match="contains its encoders, input and tokenizer"):
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), image_encoder="resnet18")).check()
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(backbone.image_encoder(images).global_, method.image_encoder(images).global_)


def test_converted_twice_it_is_still_known_who_was_trained_on(saved, tmp_path):
    method, path = saved
    data = {"dataset": "mimic_cxr", "split_rule": "default", "splits": ["train"]}
    config = {"type": "convirt", "embed_dim": 8, "image_to_text_weight": 0.5}
    save_method(path, method, config, {"config": {"data": data}})
    for name in ("once", "twice"):
        convert(path, tmp_path / f"{name}.safetensors", image_only=True)
        path = tmp_path / f"{name}.safetensors"
        assert CheckpointFile("row", str(path)).training_data() == [data]


def test_a_folder_of_ours_is_ours_already(saved, tmp_path):
    _, path = saved
    with pytest.raises(BenchError, match="is already a prior-bench checkpoint"):
        convert(path.parent, tmp_path / "out.safetensors")
