"""Image encoders of other libraries and of self-supervised training: the same features as over there."""

import json

import pytest
import timm
import torch
import torchvision
from transformers import ResNetConfig, ResNetModel, ViTConfig, ViTModel

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.errors import BenchError

HALF = dict(mean=0.5, std=0.5)


def load(path, **arguments):
    source = CheckpointFile("row", str(path), **arguments)
    source.check()
    assert not source.has_text
    return source.load(0, LoadContext())


def images(channels=3, size=224):
    return torch.randn(2, channels, size, size, generator=torch.Generator().manual_seed(0))


def shaken(model):
    """Random statistics and scales, so that every tensor matters."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if tensor.is_floating_point() and tensor.ndim == 1:
                tensor.copy_(torch.rand(tensor.shape, generator=random) * 0.3 + ("bias" not in name) * 0.8)
    return model.eval()


@torch.no_grad()
def test_transformers_resnet_folder(tmp_path):
    small = dict(depths=[2, 2, 2, 2], hidden_sizes=[64, 128, 256, 512], layer_type="basic", num_channels=1)
    model = shaken(ResNetModel(ResNetConfig(**small)))
    model.save_pretrained(tmp_path / "folder")
    (tmp_path / "folder/preprocessor_config.json").write_text(
        json.dumps({"image_mean": [0.4], "image_std": [0.2], "size": {"shortest_edge": 64}})
    )
    backbone = load(tmp_path / "folder")
    assert (backbone.provenance["model"], backbone.provenance["layout"]) == (
        "resnet18",
        "transformers ResNet",
    )
    assert backbone.provenance["share"] == 1 and backbone.provenance["unused"] == []
    assert (backbone.input.channels, backbone.input.mean, backbone.input.std) == (1, 0.4, 0.2)
    assert backbone.input.size == 64
    wanted = model(images(1, 64)).pooler_output.flatten(1)
    torch.testing.assert_close(backbone.image_encoder(images(1, 64)).global_, wanted, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_transformers_vit_folder(tmp_path):
    small = dict(hidden_size=192, num_attention_heads=3, intermediate_size=768)
    model = shaken(ViTModel(ViTConfig(**small), add_pooling_layer=True))
    model.save_pretrained(tmp_path / "folder")
    backbone = load(tmp_path / "folder", input=HALF)
    assert backbone.provenance["model"] == "vit_tiny_patch16_224" and backbone.provenance["share"] == 1
    assert backbone.provenance["unused"] == ["pooler.dense.bias", "pooler.dense.weight"]
    found = backbone.image_encoder(images())
    states = model(images()).last_hidden_state
    torch.testing.assert_close(found.global_, states[:, 0], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(found.local, states[:, 1:], rtol=1e-3, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("heads", [3, 12])
def test_transformers_vit_has_the_heads_that_its_folder_states(tmp_path, heads):
    """The tensors of three and of twelve heads have the same names and shapes."""
    small = dict(hidden_size=192, num_attention_heads=heads, intermediate_size=768)
    model = ViTModel(ViTConfig(**small), add_pooling_layer=False).eval()
    for name, weight in model.named_parameters():  # sharp attention, so that heads matter
        if name.endswith((".query.weight", ".key.weight", ".q_proj.weight", ".k_proj.weight")):
            weight.mul_(5)
    model.save_pretrained(tmp_path / "folder")
    backbone = load(tmp_path / "folder", input=HALF)
    states = model(images()).last_hidden_state
    torch.testing.assert_close(backbone.image_encoder(images()).local, states[:, 1:], rtol=1e-3, atol=1e-3)
    again = type(backbone.image_encoder)(**backbone.image_encoder.arguments)
    assert again.model.blocks[0].attn.num_heads == heads


@torch.no_grad()
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_vit_that_was_fine_tuned_on_the_mean_of_its_patches(tmp_path, prefix):
    model = shaken(timm.create_model("vit_tiny_patch16_224", num_classes=5, global_pool="avg"))
    state = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    torch.save({"model": state}, tmp_path / "mae_finetuned.pth")
    backbone = load(tmp_path / "mae_finetuned.pth", input=HALF)
    assert backbone.provenance["share"] == 1 and not backbone.provenance["missing"]
    wanted = model.forward_head(model.forward_features(images()), pre_logits=True)
    torch.testing.assert_close(backbone.image_encoder(images()).global_, wanted, rtol=1e-4, atol=1e-4)


def test_a_file_that_fits_no_network_is_refused_before_any_run(tmp_path):
    odd = {f"layer{n}.weight": torch.zeros(4, 4) for n in range(30)}
    torch.save(odd, tmp_path / "odd.pth")
    with pytest.raises(BenchError, match="is of another architecture.*\n.*--image-encoder NAME"):
        CheckpointFile("row", str(tmp_path / "odd.pth")).check()
    with pytest.raises(
        BenchError, match="is of another architecture: it supplies 0% of the tensors of resnet34"
    ):
        CheckpointFile("row", str(tmp_path / "odd.pth"), image_encoder="resnet34").check()


@torch.no_grad()
def test_timm_folder(tmp_path):
    model = shaken(timm.create_model("resnet18", num_classes=0, in_chans=1, channels=(16, 16, 16, 32)))
    from safetensors.torch import save_file

    save_file(model.state_dict(), tmp_path / "model.safetensors")
    described = {
        "architecture": "resnet18",
        "model_args": {"in_chans": 1, "channels": [16, 16, 16, 32]},
        "pretrained_cfg": {"input_size": [1, 96, 96], "mean": [0.3], "std": [0.1]},
    }
    (tmp_path / "config.json").write_text(json.dumps(described))
    backbone = load(tmp_path)
    assert (backbone.input.size, backbone.input.mean, backbone.input.std) == (96, 0.3, 0.1)
    torch.testing.assert_close(backbone.image_encoder(images(1, 96)).global_, model(images(1, 96)))


@torch.no_grad()
def test_torchvision_vit(tmp_path):
    small = dict(image_size=224, patch_size=16, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768)
    model = shaken(torchvision.models.VisionTransformer(**small))
    torch.save(model.state_dict(), tmp_path / "vit.pth")
    backbone = load(tmp_path / "vit.pth", input=HALF)
    assert backbone.provenance["layout"] == "torchvision ViT" and backbone.provenance["share"] == 1
    model.heads = torch.nn.Identity()
    torch.testing.assert_close(
        backbone.image_encoder(images()).global_, model(images()), rtol=1e-3, atol=1e-3
    )


@pytest.fixture(scope="module")
def resnet34():
    return shaken(torchvision.models.resnet34())


@pytest.mark.parametrize(
    "make, prefix",
    [
        (lambda s: {"arch": "resnet34", "epoch": 200, "state_dict": s}, "module.encoder_q."),  # MoCo
        (lambda s: {"state_dict": s}, "module.base_encoder."),  # MoCo v3
        (lambda s: {"model": s}, "backbone."),  # SimCLR
        (lambda s: s, "convnet."),
    ],
)
def test_self_supervised_checkpoints(resnet34, tmp_path, make, prefix):
    state = {f"{prefix}{k}": v for k, v in resnet34.state_dict().items() if not k.startswith("fc.")}
    state |= {f"{prefix}fc.0.weight": torch.ones(512, 512), f"{prefix}fc.2.weight": torch.ones(128, 512)}
    state["module.queue"] = torch.ones(128, 10)
    if "encoder" in prefix:
        other = prefix.replace("encoder_q", "encoder_k").replace("base_", "momentum_")
        state |= {k.replace(prefix, other): v * 0 for k, v in state.items() if k.startswith(prefix)}
    torch.save(make(dict(sorted(state.items()))), tmp_path / "w.pth.tar")
    backbone = load(tmp_path / "w.pth.tar", input=HALF)
    assert (backbone.provenance["model"], backbone.provenance["prefix"]) == ("resnet34", prefix)
    weight = backbone.image_encoder.model.layer3[5].conv2.weight
    assert torch.equal(weight, resnet34.layer3[5].conv2.weight)


def test_a_deeper_network_is_not_loaded_in_part(resnet34, tmp_path):
    torch.save(resnet34.state_dict(), tmp_path / "w.pth")
    assert load(tmp_path / "w.pth", input=HALF).provenance["model"] == "resnet34"
    with pytest.raises(BenchError, match=r"another architecture.*without counterpart layer1\.2\."):
        load(tmp_path / "w.pth", image_encoder="resnet18")


def test_a_folder_without_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(BenchError, match="folder without model.safetensors or pytorch_model.bin"):
        CheckpointFile("row", str(tmp_path)).check()


def test_a_folder_of_a_library_without_its_config_is_called_that(tmp_path, capsys):
    import small_transformers

    from prior_bench.backbones.reference import backbone_row
    from prior_bench.cli import main

    small_transformers.save("clip", tmp_path)
    (tmp_path / "config.json").unlink()
    with pytest.raises(BenchError, match=r"is a folder without config\.json or open_clip_config\.json"):
        backbone_row(str(tmp_path))
    assert main(["checkpoint", "inspect", str(tmp_path)]) == 1
    assert "its config.json is missing" in capsys.readouterr().err
