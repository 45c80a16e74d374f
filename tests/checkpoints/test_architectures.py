"""The architecture of files that nobody names: found by the tensors, and never another one of the family."""

import re

import pytest
import timm
import torch
from known_files import prefixed, shaken

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.checkpoints.architectures import FAMILIES, arguments_for, guess_architecture
from prior_bench.checkpoints.timm_names import joined
from prior_bench.errors import BenchError

ALL = [name for names in FAMILIES.values() for name in names]
HALF = dict(mean=0.5, std=0.5)


def shapes(name, **arguments):
    with torch.device("meta"):
        return timm.create_model(name, num_classes=0, **arguments).state_dict()


SLOW = ("convnext", "swin", "vit_small_patch14_dinov2", "resnet152")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow) if name.startswith(SLOW) else name for name in ALL],
)
def test_every_architecture_is_told_from_all_others(name):
    assert guess_architecture(prefixed("module.backbone.", shapes(name)), "file.pth") == (name, 3)


@pytest.mark.slow
def test_swin_of_earlier_timm():
    state = shapes("swin_small_patch4_window7_224")
    assert guess_architecture(prefixed("encoder.", old_swin_names(state)), "f") == (
        "swin_small_patch4_window7_224",
        3,
    )


def old_swin_names(state):
    return {
        re.sub(r"layers\.(\d)\.down", lambda m: f"layers.{int(m[1]) - 1}.down", k): t
        for k, t in state.items()
    }


@pytest.mark.parametrize("prefix", ["", pytest.param("backbone.", marks=pytest.mark.slow)])
@torch.no_grad()
def test_dinov2_with_registers_in_chunks(tmp_path, prefix):
    """Facebook's names: the class token has a position of its own, blocks come in chunks."""
    model = shaken(timm.create_model("vit_small_patch14_reg4_dinov2", num_classes=0, img_size=56, depth=12))
    theirs = {
        re.sub(r"^blocks\.(\d+)\.", lambda m: f"blocks.{int(m[1]) // 4}.{m[1]}.", name): tensor
        for name, tensor in model.state_dict().items()
    }
    theirs["register_tokens"] = theirs.pop("reg_token")
    extra = torch.randn(1, 1, 384)
    theirs["cls_token"] = theirs["cls_token"] - extra
    theirs["pos_embed"] = torch.cat([extra, theirs["pos_embed"]], dim=1)
    theirs["mask_token"] = torch.zeros(1, 384)
    torch.save({"teacher": prefixed(prefix, theirs)}, path := tmp_path / "w.pth")
    source = CheckpointFile("row", str(path), input=HALF)
    source.check()
    backbone = source.load(0, LoadContext())
    assert (
        backbone.provenance["model"] == "vit_small_patch14_reg4_dinov2" and backbone.provenance["share"] == 1
    )
    assert backbone.input.size == 56
    pixels = torch.rand(2, 3, 56, 56)
    torch.testing.assert_close(backbone.image_encoder(pixels).global_, model(pixels), rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@torch.no_grad()
def test_position_embeddings_of_another_size_are_loaded(tmp_path):
    model = shaken(timm.create_model("vit_tiny_patch16_224", num_classes=0, img_size=64))
    torch.save(model.state_dict(), path := tmp_path / "w.pth")
    source = CheckpointFile("row", str(path), input=HALF)
    source.check()
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["missing"] == backbone.provenance["misshapen"] == []
    assert backbone.input.size == 64
    pixels = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(backbone.image_encoder(pixels).global_, model(pixels), rtol=1e-4, atol=1e-4)
    larger = CheckpointFile("row", str(path), input=dict(size=96, **HALF)).load(0, LoadContext())
    assert torch.equal(larger.image_encoder.model.pos_embed, model.pos_embed)
    assert larger.image_encoder(torch.rand(1, 3, 96, 96)).local.shape == (1, 36, 192)


def test_positions_that_are_no_square_are_not_read():
    tensors = shapes("vit_tiny_patch16_224")
    tensors["pos_embed"] = torch.empty(1, 18, 192, device="meta")
    with pytest.raises(BenchError, match=r"misshapen pos_embed \[1, 18, 192\]"):
        arguments_for(tensors, "file.pth")


@torch.no_grad()
def test_a_resnet_as_a_sequence_of_its_children(tmp_path):
    import torchvision

    model = shaken(torchvision.models.resnet18())
    sequence = torch.nn.Sequential(*list(model.children())[:-1])
    torch.save({"state_dict": prefixed("encoder.", sequence.state_dict())}, path := tmp_path / "w.pth")
    backbone = CheckpointFile("row", str(path), input=HALF).load(0, LoadContext())
    assert backbone.provenance["model"] == "resnet18" and backbone.provenance["share"] == 1
    pixels = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(backbone.image_encoder(pixels).global_, sequence(pixels).flatten(1))


def test_an_unknown_family_names_the_nearest():
    with pytest.raises(BenchError, match="supplies 0% of the tensors of resnet18 \\(the nearest known\\)"):
        guess_architecture({"w.weight": torch.zeros(3, 3)}, "file.pth")


def test_registers_without_positions_are_left_alone():
    tensors = {"register_tokens": torch.zeros(1, 4, 8)}
    assert joined(tensors) == tensors


def test_a_whole_clip_model_is_not_taken_for_an_image_encoder(tmp_path):
    tensors = {
        "visual.conv1.weight": torch.zeros(768, 3, 32, 32),
        "visual.proj": torch.zeros(768, 512),
        "token_embedding.weight": torch.zeros(10, 512),
        "text_projection": torch.zeros(512, 512),
    }
    with pytest.raises(
        BenchError, match="whole CLIP model .*ViT-B-32-quickgelu(.|\n)*open_clip:ViT-B-32-quickgelu@"
    ):
        guess_architecture(tensors, tmp_path / "chexzero.pt")
