"""A dry run says which cells cannot run because a transformer cannot divide the protocol's input."""

import pytest
import small_open_clip
import small_transformers

from prior_bench.api import Protocol
from prior_bench.suites.resolve import make_source
from prior_bench.suites.sizes import wrong_size


def protocol(size=None):
    return Protocol(name="p", task="classification", transform={"input": {"size": size}} if size else {})


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    root = tmp_path_factory.mktemp("sizes")
    small_transformers.save("vit", root / "hf")
    small_open_clip.save("vit", root / "open_clip")
    return {
        "hf": dict(type="hf", model=str(root / "hf")),
        "open_clip": dict(type="open_clip", model=str(root / "open_clip")),
        "random": dict(type="random", image_encoder="vit_tiny_patch16_224"),
        "any size": dict(type="random", image_encoder="resnet18"),
        "config": dict(type="random", config="convirt_sample"),
    }


@pytest.mark.parametrize(
    ("kind", "fits", "unfit"),
    [
        ("hf", 40, 36),
        ("open_clip", 40, 36),
        ("random", 240, 230),
        ("any size", 230, None),
        ("config", 66, None),
    ],
)
def test_sizes(rows, kind, fits, unfit):
    source = make_source({"name": kind, **rows[kind]}, check=False)
    assert wrong_size(source, protocol()) == wrong_size(source, protocol(fits)) == ""
    if unfit:
        assert f"{unfit} pixels cannot be divided into patches" in wrong_size(source, protocol(unfit))
