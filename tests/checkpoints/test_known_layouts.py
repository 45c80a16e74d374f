"""Files of known families: the authors' input; a wrong or cut file is refused by the tensor's name."""

from functools import cache

import pytest
import torch
from known_files import KNOWN, WITH_TEXT, light

from prior_bench.api import InputSpec
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.released import match_released, method_config, wanted_shapes
from prior_bench.checkpoints.layouts import known_layouts, layout_named
from prior_bench.checkpoints.timm_names import joined
from prior_bench.errors import BenchError
from prior_bench.registry import DATASETS

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
LITE = (127 / 255, 128 / 255)
INPUTS = {
    "torchxrayvision, DenseNet-121": (224, 1, 0.5, 0.5 / 1024, "crop"),
    "torchxrayvision, DenseNet-121 without thresholds": (224, 1, 0.5, 0.5 / 1024, "crop"),
    "torchxrayvision, ResNet-50": (512, 1, 0.5, 0.5 / 1024, "crop"),
    "CheXNet (arnoweng), DenseNet-121": (224, 3, *IMAGENET, "crop"),
    "BioViL, ResNet-50": (480, 3, 0.0, 1.0, "crop"),
    "BioViL-T, ResNet-50": (448, 3, 0.0, 1.0, "crop"),
    "BioViL, ResNet-50, with CXR-BERT": (480, 3, 0.0, 1.0, "crop"),
    "BioViL-T, ResNet-50, with CXR-BERT": (448, 3, 0.0, 1.0, "crop"),
    "MedCLIP, ResNet-50": (224, 3, 0.5862785803043838, 0.27950088968644304, "pad"),
    "MedCLIP, Swin-T": (224, 3, 0.5862785803043838, 0.27950088968644304, "pad"),
    "CXR-CLIP, ResNet-50": (224, 3, *IMAGENET, "crop"),
    "CXR-CLIP, Swin-T": (224, 3, 0.5, 0.5, "crop"),
    "MedKLIP, ResNet-50": (224, 3, *IMAGENET, "squash"),
    "MAVL, ResNet-50": (224, 3, *IMAGENET, "squash"),
    "KAD, ResNet-50": (512, 3, *IMAGENET, "crop"),
    "KAD at 224 pixels, ResNet-50": (224, 3, *IMAGENET, "crop"),
    "MedKLIP, ResNet-50, with BioClinicalBERT": (224, 3, *IMAGENET, "squash"),
    "MAVL, ResNet-50, with BioClinicalBERT": (224, 3, *IMAGENET, "squash"),
    "KAD, ResNet-50, with its text encoder": (512, 3, *IMAGENET, "crop"),
    "KAD at 224 pixels, ResNet-50, with its text encoder": (224, 3, *IMAGENET, "crop"),
    "CARZero, ViT-B/16": (224, 3, 0.4978, 0.2449, "pad"),
    **{name: (224, 3, 0.4978, 0.2449, "crop") for name in KNOWN if "(BenchX)" in name},
    "MRM, ViT-B/16": (224, 3, 0.4978, 0.2449, "crop"),
    "MaCo, ViT-B/16": (224, 3, 0.4978, 0.2449, "crop"),
    "ECAMP, ViT-B/16": (224, 3, 0.4721, 0.3037, "crop"),
    "EfficientNet-Lite0, ImageNet": (224, 3, *LITE, "crop"),
    "EfficientNet-Lite1, ImageNet": (240, 3, *LITE, "crop"),
    "EfficientNet-Lite2, ImageNet": (260, 3, *LITE, "crop"),
    "EfficientNet-Lite3, ImageNet": (280, 3, *LITE, "crop"),
    "EfficientNet-Lite4, ImageNet": (300, 3, *LITE, "crop"),
    "EVA-X-Ti/16": (224, 3, 0.49185243, 0.28509309, "crop"),
    "EVA-X-S/16": (224, 3, 0.49185243, 0.28509309, "crop"),
    "EVA-X-B/16": (224, 3, 0.49185243, 0.28509309, "crop"),
    "Ark, Swin-B": (224, 3, *IMAGENET, "squash"),
    "Ark+, Swin-L at 768 pixels": (768, 3, *IMAGENET, "squash"),
}
FIELDS = ("size", "channels", "mean", "std", "resize")
FURTHER = {
    **dict.fromkeys(("EVA-X-Ti/16", "EVA-X-S/16", "EVA-X-B/16"), ("bicubic", 256)),
    **dict.fromkeys(("MedCLIP, ResNet-50", "MedCLIP, Swin-T"), ("bicubic", None)),
    **dict.fromkeys((name for name in KNOWN if name.startswith("KAD")), ("bicubic", None)),
    **dict.fromkeys(("Ark, Swin-B", "Ark+, Swin-L at 768 pixels"), ("bicubic", None)),
    **dict.fromkeys(("BioViL, ResNet-50", "BioViL-T, ResNet-50"), ("bilinear", 512)),
    **dict.fromkeys(
        ("BioViL, ResNet-50, with CXR-BERT", "BioViL-T, ResNet-50, with CXR-BERT"), ("bilinear", 512)
    ),
    "CARZero, ViT-B/16": ("area", 256),
    "CheXNet (arnoweng), DenseNet-121": ("bilinear", 256),
    "EfficientNet-Lite0, ImageNet": ("bicubic", 256),
    "EfficientNet-Lite1, ImageNet": ("bicubic", 272),
    "EfficientNet-Lite2, ImageNet": ("bicubic", 292),
    "EfficientNet-Lite3, ImageNet": ("bicubic", 312),
    "EfficientNet-Lite4, ImageNet": ("bicubic", 332),
}
"""Filter, and the size to which images are scaled before their centre is cropped, if not the usual ones."""
tensors_of = cache(light)


def a_used_tensor(name):
    """A tensor of the file itself that is needed."""
    tensors = tensors_of(name)
    used = match_released(joined(tensors)).mapping.values()
    return sorted(one for one in used if one in tensors and tensors[one].ndim > 1)[7]


def refusal(tmp_path, tensors):
    torch.save(tensors, path := tmp_path / "file.pth")
    with pytest.raises(BenchError) as caught:
        CheckpointFile("row", str(path)).check()
    return str(caught.value)


def test_every_layout_of_an_image_encoder_alone_is_covered():
    alone = {layout.name for layout in known_layouts() if "type" not in layout.method}
    assert alone == {*KNOWN, "PRIOR, image encoder"} - {*WITH_TEXT} and INPUTS.keys() == KNOWN.keys()
    assert all(layout_named(name).has_text for name in WITH_TEXT)


@pytest.mark.parametrize("name", KNOWN)
def test_every_tensor_is_accounted_for(name):
    tensors = joined(tensors_of(name))
    found = match_released(tensors)
    assert found.layout.name == name and found.problems == () and found.share == 1
    assert sorted([*found.mapping.values(), *found.unused]) == sorted(tensors)
    assert all(found.unused.values())
    supplied = {entry[0] for entry in found.layout.supplied}
    assert wanted_shapes(name).keys() - found.mapping.keys() <= supplied
    assert found.layout.source and {data for data, _ in found.layout.exposure} <= set(DATASETS.names())
    assert bool(found.layout.exposure) != name.endswith("ImageNet"), "those have seen no radiographs"


@pytest.mark.parametrize("name", KNOWN)
def test_a_wrapper_before_every_name_is_seen(name):
    found = match_released(joined({f"module.{key}": tensor for key, tensor in tensors_of(name).items()}))
    assert found.layout.name == name and found.problems == ()


@pytest.mark.parametrize("name", KNOWN)
def test_the_input_is_that_of_the_authors_code(name):
    spec = InputSpec(**layout_named(name).image_encoder["input"])
    assert tuple(getattr(spec, field) for field in FIELDS) == INPUTS[name]
    assert (spec.interpolation, spec.resize_to) == FURTHER.get(name, ("bilinear", None))


def test_another_size_keeps_the_cropped_share():
    layout = layout_named("BioViL, ResNet-50")
    changed = method_config(layout, {"size": 240})["image_encoder"]["input"]
    assert (changed["size"], changed["resize_to"], changed["std"]) == (240, 256, 1.0)


@pytest.mark.parametrize("name", KNOWN)
def test_a_missing_tensor_is_refused(name, tmp_path):
    tensors = dict(tensors_of(name))
    del tensors[key := a_used_tensor(name)]
    message = refusal(tmp_path, tensors)
    assert f"looks like {name}, but 1 tensor(s) do not fit: missing {key}" in message
    assert "fix: download it again" in message and ("--image-encoder" in message) == (name in WITH_TEXT)


@pytest.mark.parametrize("name", KNOWN)
def test_a_renamed_tensor_is_refused(name, tmp_path):
    tensors = dict(tensors_of(name))
    key = a_used_tensor(name)
    tensors[f"{key}_v2"] = tensors.pop(key)
    message = refusal(tmp_path, tensors)
    assert f"missing {key}" in message and f"unknown {key}_v2" in message


@pytest.mark.parametrize("name", KNOWN)
def test_a_misshapen_tensor_is_refused(name, tmp_path):
    tensors = dict(tensors_of(name))
    shape = list(tensors[key := a_used_tensor(name)].shape)
    tensors[key] = torch.zeros(1).expand(3, *shape)
    assert f"misshapen {key} {[3, *shape]} instead of {shape}" in refusal(tmp_path, tensors)


def test_an_efficientnet_with_squeeze_and_excitation_is_none_of_the_lite_ones():
    tensors = tensors_of("EfficientNet-Lite0, ImageNet")
    more = {"_blocks.0._se_reduce.weight": torch.zeros(8, 32, 1, 1)}
    assert match_released(tensors) and match_released({**tensors, **more}) is None


def test_names_of_transformers_5_are_those_of_its_files():
    from known_files import filed_swin, prefixed, swin

    with torch.device("meta"):
        model = swin()
    newer = prefixed("vision_model.model.", model.state_dict())
    assert any(".q_proj." in name for name in newer)
    assert (
        joined(newer).keys() - {n for n in newer if n.endswith("index")}
        == joined(prefixed("vision_model.model.", filed_swin(model))).keys()
    )
