import pytest
import torch

from prior_bench.api import InputSpec
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError

HALF_WIDTH = {"channels": (32, 64, 128, 256)}


@pytest.mark.parametrize("channels", [1, 3])
def test_resnet18_shapes(channels):
    encoder = ImageEncoder("resnet18", in_channels=channels, input={"size": 64}, model_args=HALF_WIDTH).eval()
    images = torch.randn(2, channels, 64, 64)
    features = encoder(images)
    assert (encoder.dim, encoder.local_dim) == (256, 256)
    assert features.global_.shape == (2, 256)
    assert features.local.shape == (2, 4, 256) and features.mask is None
    assert encoder.stage_channels[-4:] == (32, 64, 128, 256)
    assert encoder.stage_strides[-4:] == (4, 8, 16, 32)
    maps = encoder.feature_maps(images, (-4, -3, -2, -1))
    assert [tuple(m.shape) for m in maps] == [(2, 32, 16, 16), (2, 64, 8, 8), (2, 128, 4, 4), (2, 256, 2, 2)]


def test_resnet50_local_stage_three():
    encoder = ImageEncoder("resnet50", local_stage=-2, input={"size": 64}).eval()
    features = encoder(torch.randn(1, 3, 64, 64))
    assert features.global_.shape == (1, 2048)
    assert features.local.shape == (1, 16, 1024) and encoder.local_dim == 1024


def test_parameters_keep_torchvision_names():
    torchvision = pytest.importorskip("torchvision")
    official = {k for k in torchvision.models.resnet18(weights=None).state_dict() if not k.startswith("fc.")}
    assert set(ImageEncoder("resnet18").state_dict()) == {f"model.{k}" for k in official}


def test_local_features_are_positions_in_row_major_order():
    encoder = ImageEncoder("resnet18", local_stage=-2, input={"size": 64, "channels": 3}).eval()
    images = torch.randn(1, 3, 64, 96)  # 4 x 6 positions: rows and columns differ
    local, (grid,) = encoder(images).local, encoder.feature_maps(images, (-2,))
    assert grid.shape[-2:] == (4, 6)
    for row, column in [(0, 0), (1, 2), (3, 5)]:
        assert torch.equal(local[0, row * 6 + column], grid[0, :, row, column])


def test_average_pool_is_the_mean_of_the_last_map():
    encoder = ImageEncoder("resnet18", input={"size": 64}).eval()
    images = torch.randn(2, 3, 64, 64)
    torch.testing.assert_close(encoder(images).global_, encoder.feature_maps(images, (-1,))[0].mean((2, 3)))


def test_attention_pool_is_made_for_the_grid():
    encoder = ImageEncoder(
        "resnet18", pool="attention", in_channels=1, input={"size": 72}, model_args=HALF_WIDTH
    )
    assert encoder.attention_pool.grid == (3, 3)
    assert encoder.training
    assert encoder.eval()(torch.randn(2, 1, 72, 72)).global_.shape == (2, 256)


def test_vit_has_one_map_and_a_class_token():
    args = dict(embed_dim=48, depth=2, num_heads=3)
    encoder = ImageEncoder("vit_tiny_patch16_224", in_channels=1, input={"size": 64}, model_args=args).eval()
    images = torch.randn(2, 1, 64, 64)
    features = encoder(images)
    assert features.global_.shape == (2, 48) and features.local.shape == (2, 16, 48)
    assert encoder.stage_channels == (48,) * 4 and encoder.stage_strides == (16,) * 4
    first, last = encoder.feature_maps(images, (0, -1))
    assert first.shape == (2, 48, 4, 4) and torch.equal(first, last)
    tokens = encoder.model.forward_features(images)
    torch.testing.assert_close(features.global_, tokens[:, 0])
    torch.testing.assert_close(features.local, tokens[:, 1:])


def test_arguments_rebuild_the_encoder():
    encoder = ImageEncoder(
        "resnet18", in_channels=1, pool="attention", input={"size": 64}, model_args=HALF_WIDTH
    )
    again = ImageEncoder(**encoder.arguments)
    again.load_state_dict(encoder.state_dict())
    assert again.input == encoder.input == InputSpec(size=64, channels=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"model_name": "resnet5O"}, "did you mean resnet50"),
        ({"model_name": "resnet18", "model_args": {"chanels": 3}}, "chanels"),
        ({"model_name": "resnet18", "in_channels": 2}, "must be 1 or 3"),
        ({"model_name": "resnet18", "pool": "max"}, "unknown pool 'max'"),
        ({"model_name": "resnet18", "local_stage": 7}, "has 5 stages"),
        ({"model_name": "resnet18", "input": {"sise": 3}}, "fields: size"),
        ({"model_name": "resnet18", "input": {"channels": 1}}, "in_channels is 3"),
    ],
)
def test_wrong_arguments_get_one_clear_error(arguments, message):
    with pytest.raises(BenchError, match=message):
        ImageEncoder(**arguments)


def test_unreachable_hub_says_how_to_do_without(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BenchError, match=r"not in the local cache[\s\S]*set\s+image_encoder.pretrained="):
        ImageEncoder("resnet18.a1_in1k", pretrained=True)


@torch.no_grad()
@pytest.mark.parametrize("name", ["resnet18", "vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_the_first_position_as_global_feature(name):
    size = 224 if name.startswith("swin") else 64
    encoder = ImageEncoder(name, pool="first", input=dict(size=size)).eval()
    images = torch.rand(2, 3, size, size)
    found = encoder(images)
    first = found.local[:, 0]
    if name.startswith("swin"):  # its maps are those before the last norm
        first = encoder.model.norm(first)
    assert found.global_.shape == (2, encoder.dim)
    torch.testing.assert_close(found.global_, first, rtol=1e-4, atol=1e-5)
