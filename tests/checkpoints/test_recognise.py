import pytest
import timm
import torch
import torchvision
from released_files import light, write

from prior_bench.api import LoadContext
from prior_bench.checkpoints.recognise import load_image_weights, recognise
from prior_bench.cli import main
from prior_bench.cli.arguments import keywords
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError
from prior_bench.registry import BACKBONES

HALF = dict(mean=0.5, std=0.5)
SMALL = dict(model_name="resnet18", input=dict(size=32), model_args=dict(channels=(8, 8, 16, 16)))


@pytest.fixture(scope="module")
def weights():
    """A torchvision-like state dict, classifier included, with statistics that matter."""
    torch.manual_seed(1)
    model = timm.create_model("resnet18", channels=(8, 8, 16, 16), num_classes=5)
    return {k: torch.rand_like(v) if v.is_floating_point() else v for k, v in model.state_dict().items()}


@pytest.mark.parametrize(
    "prefix",
    ["", "module.", "model.", "encoder.", "backbone.", "module.encoder_q.", "gloria.img_encoder.model."],
)
def test_any_prefix_is_found(weights, tmp_path, prefix):
    torch.save({"state_dict": {prefix + k: v for k, v in weights.items()}}, tmp_path / "w.pth")
    encoder = ImageEncoder(**SMALL)
    found = load_image_weights(encoder, tmp_path / "w.pth")
    assert (found["prefix"], found["share"], found["missing"]) == (prefix, 1.0, [])
    assert found["unused"] == [f"{prefix}fc.weight", f"{prefix}fc.bias"]
    loaded = encoder.model.state_dict()
    assert all(
        torch.equal(loaded[k], v) for k, v in weights.items() if k in loaded and "num_batches" not in k
    )


def test_of_two_towers_the_trained_one_is_taken(weights):
    both = {f"module.{tower}.{k}": v for tower in ("encoder_k", "encoder_q") for k, v in weights.items()}
    assert recognise(both, ImageEncoder(**SMALL).model).prefix == "module.encoder_q."


def test_input_layer_is_adapted_to_grey_and_back(weights, tmp_path):
    torch.save(weights, tmp_path / "rgb.pth")
    grey = ImageEncoder(**{**SMALL, "in_channels": 1}).eval()
    load_image_weights(grey, tmp_path / "rgb.pth")
    colour = ImageEncoder(**SMALL).eval()
    load_image_weights(colour, tmp_path / "rgb.pth")
    image = torch.rand(2, 1, 32, 32)
    want = colour(image.expand(-1, 3, -1, -1)).global_
    torch.testing.assert_close(grey(image).global_, want)
    torch.save(grey.model.state_dict(), tmp_path / "grey.pth")
    back = ImageEncoder(**SMALL).eval()
    load_image_weights(back, tmp_path / "grey.pth")
    torch.testing.assert_close(back(image.expand(-1, 3, -1, -1)).global_, want)


def test_another_architecture_is_refused_and_names_tensors(weights, tmp_path):
    torch.save(weights, tmp_path / "narrow.pth")
    encoder = ImageEncoder("resnet18")
    before = encoder.model.state_dict()["layer1.0.conv1.weight"].clone()
    with pytest.raises(BenchError, match=r"narrow.pth: is of another architecture.*misshapen layer1"):
        load_image_weights(encoder, tmp_path / "narrow.pth")
    assert torch.equal(encoder.model.state_dict()["layer1.0.conv1.weight"], before)
    with pytest.raises(BenchError, match="missing layer1.2.conv1.weight"):
        load_image_weights(ImageEncoder("resnet34", model_args=SMALL["model_args"]), tmp_path / "narrow.pth")


def test_an_encoder_itself_takes_no_weights_file():
    with pytest.raises(BenchError, match=r"pretrained is 'w.pth'; must be True or False\n  fix: load a file"):
        ImageEncoder(**SMALL, pretrained="w.pth")


def test_the_architecture_of_a_file_is_guessed(tmp_path):
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), tmp_path / "resnet18-f37072fd.pth")
    source = BACKBONES.build(
        dict(type="checkpoint", name="ImageNet", path=str(tmp_path / "resnet18-f37072fd.pth"), input=HALF)
    )
    assert not source.has_text
    backbone = source.load(0, LoadContext())
    assert backbone.provenance["model"] == "resnet18" and backbone.provenance["share"] == 1.0
    assert backbone.image_encoder.dim == 512 and backbone.method is None
    torch.save({"w": torch.ones(3, 3)}, tmp_path / "other.pth")
    with pytest.raises(BenchError, match="another architecture"):
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(tmp_path / "other.pth"))).load(
            0, LoadContext()
        )


def test_what_a_file_lacks_is_told_and_does_not_depend_on_the_run(tmp_path, capsys):
    state = torchvision.models.resnet18().state_dict()
    del state["layer4.1.conv2.weight"]
    torch.save(state, path := tmp_path / "w.pth")
    source = BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), input=HALF))
    weights = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        backbone = source.load(seed, LoadContext())
        weights.append(backbone.image_encoder.model.layer4[1].conv2.weight)
    assert backbone.provenance["missing"] == ["layer4.1.conv2.weight"]
    assert torch.equal(*weights)
    assert main(["checkpoint", "inspect", str(path)]) == 0  # as it is loaded, so it is no failure
    text = capsys.readouterr().out
    assert "left as drawn at random: missing layer4.1.conv2.weight" in text and "0 that do not fit" in text


def test_a_file_without_statistics_asks_for_them(tmp_path):
    torch.save(torchvision.models.resnet18().state_dict(), path := tmp_path / "w.pth")
    with pytest.raises(BenchError, match="does not state the mean and the standard deviation") as caught:
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(path))).check()
    with pytest.raises(BenchError, match="does not state the mean"):
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(path))).load(0, LoadContext())
    flag = caught.value.fix.split("--input '")[1].split("'")[0]
    given = keywords(flag, "--input")
    source = BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), input=given))
    source.check()
    assert source.load(0, LoadContext()).input.mean == (0.485, 0.456, 0.406)
    half = BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), input=dict(mean=0.5)))
    with pytest.raises(BenchError, match="does not state the mean"):
        half.check()


def test_the_fix_for_a_grey_file_has_one_number(tmp_path):
    model = timm.create_model("resnet18", in_chans=1, num_classes=3)
    torch.save(model.state_dict(), path := tmp_path / "w.pth")
    with pytest.raises(BenchError) as caught:
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(path))).check()
    given = keywords(caught.value.fix.split("--input '")[1].split("'")[0], "--input")
    source = BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), input=given))
    assert source.load(0, LoadContext()).input.std == 0.226


def test_the_image_encoder_of_a_released_file_asks_for_its_layouts_input(tmp_path):
    path = write(tmp_path, "prior_image_encoder_only", light("prior_image_encoder_only"))
    with pytest.raises(BenchError) as caught:
        BACKBONES.build(dict(type="checkpoint", name="x", path=str(path), image_encoder="resnet50")).check()
    assert (
        "--input 'mean=0.4755,std=0.3011,size=224,resize=squash' (these are PRIOR, image encoder's)"
        in caught.value.fix
    )
