"""``checkpoint inspect`` of folders of transformers and open_clip: described by their own library."""

import json

import pytest
import small_open_clip
import small_transformers

from prior_bench.cli import main


def inspected(folder, capsys, status=0):
    assert main(["checkpoint", "inspect", str(folder)]) == status
    lines = capsys.readouterr().out.splitlines()
    return {line[:10].strip(): line[10:] for line in lines}


def test_a_clip_of_transformers_has_two_towers(tmp_path, capsys):
    small_transformers.save("clip", tmp_path / "clip")
    told = inspected(tmp_path / "clip", capsys)
    assert told["library"].endswith(", CLIPModel")
    assert told["vision"] == "clip_vision_model, 32 wide, 2 layers, 4 heads, patches of 8"
    assert (
        told["text"]
        == "clip_text_model, 24 wide, 2 layers, 4 heads; texts up to 20 tokens, with its tokenizer"
    )
    assert told["pooling"] == "the model's own pooled vector ('pooler')"
    assert "32 x 32 pixels, 3 channels, mean 0.481" in told["input"]
    assert "resize 'crop' of 36 pixels, bicubic" in told["input"]
    assert told["weights"] == "complete"


def test_a_vision_model_of_transformers_has_no_text(tmp_path, capsys):
    small_transformers.save("dinov2", tmp_path / "dino")
    told = inspected(tmp_path / "dino", capsys)
    assert told["library"].endswith(", Dinov2Model") and told["pooling"] == "the class token ('cls')"
    assert told["text"] == "none: an image encoder alone" and "mean 0.4 / 0.5 / 0.6" in told["input"]


def test_a_folder_without_a_processor_does_not_state_its_input(tmp_path, capsys):
    small_transformers.save("vit", tmp_path / "vit")
    (tmp_path / "vit/preprocessor_config.json").unlink()
    assert "mean not stated, std not stated" in inspected(tmp_path / "vit", capsys)["input"]


@pytest.mark.parametrize(
    ("kind", "vision", "text", "name"),
    [
        ("vit", "ViT, 32 wide, 2 layers", "open_clip's, 24 wide, 2 layers; texts up to 20 tokens", "CLIP"),
        ("resnet", "ResNet of CLIP", "open_clip's, 24 wide, 2 layers; texts up to 20 tokens", "CLIP"),
        ("bert", "timm's test_vit", "transformers, as its folder's config.json states", "CustomTextCLIP"),
    ],
)
def test_folders_of_open_clip(tmp_path, capsys, kind, vision, text, name):
    small_open_clip.save(kind, tmp_path / "model")
    told = inspected(tmp_path / "model", capsys)
    assert told["library"].endswith(f", {name}") and told["vision"] == vision
    assert told["text"].startswith(text) and told["text"].endswith("with its tokenizer")
    assert "mean 0.4 / 0.5 / 0.6" in told["input"] and told["weights"] == "complete"


def test_a_missing_tokenizer_and_wrong_weights_are_problems(tmp_path, capsys):
    folder = tmp_path / "clip"
    small_transformers.save("clip", folder)
    for file in folder.glob("tokenizer*"):
        file.unlink()
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    assert main(["checkpoint", "inspect", str(folder)]) == 1
    text = capsys.readouterr().out
    assert "there is no vocabulary of a tokenizer" in text and "weights   complete" not in text
    assert "missing vision_model.encoder.layers.2" in text
