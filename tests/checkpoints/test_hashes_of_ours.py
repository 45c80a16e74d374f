"""Our files carry hashes of their tensors and of their description; what has changed since is refused."""

import json
import struct

import pytest
import torch

from prior_bench.api import LoadContext
from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.describe import as_text, describe
from prior_bench.checkpoints.native import load_method, read_info, save_image_encoder
from prior_bench.encoders.image import ImageEncoder
from prior_bench.errors import BenchError

SMALL = dict(model_name="resnet18", model_args=dict(channels=(8, 8, 8, 8)), input=dict(size=32, mean=0.25))


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    encoder = ImageEncoder(**SMALL).eval()
    return encoder, save_image_encoder(tmp_path / "model.safetensors", encoder, {"seed": 3})


def edited(path, change):
    """Rewrite the metadata of a file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    values = json.loads(header["__metadata__"]["prior_bench"])
    change(values)
    header["__metadata__"]["prior_bench"] = json.dumps(values)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def test_one_bit_of_one_weight_is_noticed(saved):
    encoder, path = saved
    assert load_method(path)[1].tensors and "tensors as written" in as_text(describe(path))
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(BenchError, match=r"model.safetensors: damaged: its tensors are not those.*sha256"):
        load_method(path)
    found = describe(path)
    assert "sha256 differs" in found.problems[0] and "the file is refused" in as_text(found)
    with pytest.raises(BenchError, match="sha256 differs"):
        CheckpointFile("row", str(path)).load(0, LoadContext())


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v["input"].update(mean=0.26),
        lambda v: v["method"]["image_encoder"].update(local_stage=-2),
        lambda v: v["provenance"].update(seed=4),
        lambda v: v.pop("sha256"),
        lambda v: v.update(schema=1),
    ],
)
def test_another_description_is_noticed(saved, change):
    _, path = saved
    edited(path, change)
    with pytest.raises(BenchError, match=r"model.safetensors: damaged: its metadata cannot be read"):
        read_info(path)


def test_files_of_before_still_load_and_say_that_they_carry_none(saved):
    encoder, path = saved

    def as_before(values):
        del values["sha256"]
        values["schema"] = 1

    edited(path, as_before)
    again, info = load_method(path)
    assert info.tensors == "" and torch.equal(again.model.conv1.weight, encoder.model.conv1.weight)
    assert "carries no hash of its tensors" in as_text(describe(path))


def test_the_hash_is_of_names_types_shapes_and_values():
    from prior_bench.io.digest import tensors_sha256

    one = {"a": torch.arange(6.0), "b": torch.ones(2)}
    others = [
        {"a": torch.arange(6.0), "c": torch.ones(2)},
        {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2)},
        {"a": torch.arange(6.0), "b": torch.ones(2, dtype=torch.float64)},
        {"a": torch.arange(6.0).flip(0), "b": torch.ones(2)},
    ]
    assert tensors_sha256(dict(reversed(one.items()))) == tensors_sha256(one)
    assert tensors_sha256(one) not in map(tensors_sha256, others)
