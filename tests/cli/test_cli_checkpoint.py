"""``prior-bench checkpoint`` and ``export`` from the command line."""

import pytest
import torch
import torchvision
from released_files import light, write, write_vocabulary

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.checkpoints.files import sha256
from prior_bench.cli import main


@pytest.fixture
def gloria(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return write(tmp_path, "gloria_resnet50", light("gloria_resnet50"))


def test_inspect_groups_tensors(gloria, capsys):
    assert main(["checkpoint", "inspect", str(gloria)]) == 0
    text = capsys.readouterr().out
    assert f"sha256    {sha256(gloria)}" in text
    assert "GLoRIA, ResNet-50 (released: github.com/marshuang80/gloria)" in text
    assert "100.0% of the model's tensors: 518 used, 3 unused on purpose, 0 that do not fit" in text
    assert "224 x 224 pixels, 3 channels, mean 0.5, std 0.5, resize 'pad'" in text
    assert "needs the tokenizer of emilyalsentzer/Bio_ClinicalBERT (28996 tokens)" in text
    assert "BERT's pooler: GLoRIA reads the last four layers" in text
    assert len(text.splitlines()) < 60


def test_inspect_lists_every_tensor(gloria, capsys):
    assert main(["checkpoint", "inspect", str(gloria), "--all"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in light("gloria_resnet50"))
    assert "gloria.img_encoder.model.conv1.weight -> image_encoder.model.conv1.weight" in text


def test_inspect_says_both_statistics_of_prior(tmp_path, capsys):
    path = write(tmp_path, "prior", light("prior"))
    assert main(["checkpoint", "inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "mean 0.4755, std 0.3011, resize 'squash'" in text and "0.50627 / 0.28947" in text
    assert "_stage: our count of the training stage" in text


def test_inspect_of_a_spoiled_file_names_the_tensors_and_fails(tmp_path, capsys):
    tensors = light("mgca_resnet50")
    del tensors["prototype_layer.weight"]
    assert main(["checkpoint", "inspect", str(write(tmp_path, "mgca_resnet50", tensors))]) == 1
    text = capsys.readouterr().out
    assert "1 that do not fit" in text and "missing prototype_layer.weight" in text


def test_inspect_of_a_plain_state_dict(tmp_path, capsys):
    torch.save(torchvision.models.resnet18().state_dict(), tmp_path / "w.pth")
    assert main(["checkpoint", "inspect", str(tmp_path / "w.pth")]) == 0
    text = capsys.readouterr().out
    assert "torchvision or timm state dict, resnet18" in text
    assert "the file does not state the input's statistics" in text
    assert main(["checkpoint", "inspect", str(tmp_path / "absent.pth")]) == 1
    assert "absent.pth: no such checkpoint file" in capsys.readouterr().err


def test_convert_and_export_an_image_encoder(tmp_path, capsys):
    path = write(tmp_path, "prior_image_encoder_only", light("prior_image_encoder_only"))
    out = tmp_path / "ours.safetensors"
    assert main(["checkpoint", "convert", str(path), "-o", str(out)]) == 0
    assert "image encoder resnet50" in capsys.readouterr().out
    ours = CheckpointFile("row", str(out))
    ours.check()
    assert not ours.has_text
    backbone = ours.load(0, LoadContext())
    want = light("prior_image_encoder_only")
    assert torch.equal(backbone.image_encoder.model.conv1.weight, want["encoder.conv1.weight"])
    assert torch.equal(backbone.image_encoder.attention_pool.q_proj.bias, want["atten_pool.q_proj.bias"])
    assert backbone.input.mean == 0.4755
    assert backbone.provenance["converted_from"]["layout"] == "PRIOR, image encoder"
    assert main(["checkpoint", "inspect", str(out)]) == 0
    assert "prior-bench, image encoder" in capsys.readouterr().out
    assert main(["checkpoint", "convert", str(out), "-o", str(tmp_path / "again.safetensors")]) == 1
    assert "is already a prior-bench checkpoint" in capsys.readouterr().err
    assert main(["checkpoint", "convert", str(path), "-o", str(tmp_path / "ours.pth")]) == 1
    assert "the output must be a safetensors file" in capsys.readouterr().err
    assert main(["export", str(out), "-o", str(tmp_path / "out")]) == 0
    assert "timm.create_model('resnet50'" in capsys.readouterr().out
    assert (tmp_path / "out/image_encoder/model.safetensors").is_file()


def test_convert_without_a_tokenizer_says_how_to_give_one(gloria, tmp_path, capsys):
    out = tmp_path / "ours.safetensors"
    assert main(["checkpoint", "convert", str(gloria), "-o", str(out)]) == 1
    message = capsys.readouterr().err
    assert "no tokenizer for the text encoder of GLoRIA" in message and "--image-only" in message
    assert not out.exists()


def test_a_tokenizer_for_what_takes_none(capsys):
    words = ["eval", "zero_shot", "--backbone", "random:resnet18", "--data", "sample:chexpert_5x200"]
    assert main([*words, "--tokenizer", "vocab.txt"]) == 1
    assert "only a checkpoint file can have a tokenizer" in capsys.readouterr().err


@pytest.mark.slow
def test_a_whole_method_converted_scores_the_same(tmp_path, capsys):
    path = write(tmp_path, "mgca_vit_base", light("mgca_vit_base"))
    vocabulary, out = write_vocabulary(tmp_path), tmp_path / "ours.safetensors"
    words = ["checkpoint", "convert", str(path), "-o", str(out), "--tokenizer", str(vocabulary)]
    assert main(words) == 0
    assert "method 'mgca' with its text encoder and tokenizer" in capsys.readouterr().out
    before = CheckpointFile("row", str(path), tokenizer=str(vocabulary)).load(0, LoadContext()).method
    after = CheckpointFile("row", str(out)).load(0, LoadContext()).method
    text, images = before.text_encoder.tokenizer([("The heart is enlarged.",)]), torch.rand(1, 3, 224, 224)
    with torch.no_grad():
        scores = [m.similarity(m.encode_image(images), m.encode_text(text)) for m in (before, after)]
    assert torch.equal(*scores)
    assert after.variant == before.variant and after.text_encoder.tokenizer.max_tokens == 112
