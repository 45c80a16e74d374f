import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import eval_transform
from prior_bench.errors import BenchError
from prior_bench.features.extract import Feed, evaluating, extract
from prior_bench.features.similarity import similarity_matrix
from prior_bench.mock import mock_backbone
from prior_bench.runtime import arithmetic
from prior_bench.store.changed_source import warn_of_cache
from prior_bench.suites import protocols
from prior_bench.versions import MACHINERY


def files(context):
    return sorted(context.cache_dir.rglob("*.safetensors"))


def test_features_equal_a_plain_forward_in_order(tiny, context):
    backbone = mock_backbone()
    features = extract(backbone, tiny, context)
    transform = eval_transform(backbone.input)
    backbone.image_encoder.eval()
    for row in (0, 31, 32, 59):
        with torch.no_grad():
            alone = backbone.image_encoder(transform(read_image(tiny.path(row)))[None]).global_[0]
        assert features[row] == pytest.approx(alone.numpy(), abs=1e-5)
    assert features.shape == (60, 32) and features.dtype == np.float32


def test_images_are_seen_once(tiny, context):
    backbone = mock_backbone()
    first = extract(backbone, tiny, context)
    assert backbone.image_encoder.images_seen == 60
    again = mock_backbone()  # another process, as it were
    assert np.array_equal(extract(again, tiny, context), first)
    assert again.image_encoder.images_seen == 0
    assert [f.suffix for f in context.cache_dir.rglob("*.*")] == [".safetensors"]


def test_what_changes_features_changes_the_key(tiny, context):
    first = extract(mock_backbone(), tiny, context)
    assert not np.array_equal(first, extract(mock_backbone(seed=1), tiny, context))
    darker = Feed(mock_backbone().input, {"Resize": 80})
    assert not np.array_equal(first, extract(mock_backbone(), tiny, context, feed=darker))
    joint = extract(mock_backbone(), tiny, context, what="joint")
    assert not np.array_equal(first, joint)
    assert len(extract(mock_backbone(), tiny.split("test"), context)) == 12
    assert len(files(context)) == 5


def test_devices_and_precisions_do_not_share_the_cache(tiny, context, monkeypatch):
    backbone = mock_backbone()
    extract(backbone, tiny, context)
    with torch.autocast("cpu", torch.bfloat16):
        half = extract(backbone, tiny, context)
    assert backbone.image_encoder.images_seen == 120 and len(files(context)) == 2
    assert not np.array_equal(half, extract(backbone, tiny, context))
    gpu = {"device": "cuda", "precision": "float32"}
    monkeypatch.setattr("prior_bench.features.cache.arithmetic", lambda device: gpu)
    extract(backbone, tiny, context)
    assert backbone.image_encoder.images_seen == 180 and len(files(context)) == 3


def test_the_precision_of_a_gpu_is_that_of_its_products(monkeypatch):
    assert arithmetic("cpu") == {"device": "cpu", "precision": "float32"}
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    assert arithmetic("cuda:1") == {"device": "cuda", "precision": "float32"}
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    assert arithmetic("cuda") == {"device": "cuda", "precision": "tf32"}


def test_other_source_code_uses_the_cache_and_says_so_once(tiny, context, monkeypatch, capsys):
    backbone = mock_backbone()
    first = extract(backbone, tiny, context)
    monkeypatch.setattr("prior_bench.features.extract.source_of", lambda module: "other")
    warn_of_cache.cache_clear()
    for _ in range(2):
        assert np.array_equal(extract(backbone, tiny, context), first)
    assert backbone.image_encoder.images_seen == 60
    lines = capsys.readouterr().err.splitlines()
    said = "cached features were computed by different source code"
    assert len([line for line in lines if said in line]) == 1
    warn_of_cache.cache_clear()
    monkeypatch.setitem(MACHINERY, "features", replace(MACHINERY["features"], version=2))
    extract(backbone, tiny, context)
    assert backbone.image_encoder.images_seen == 120


def test_batch_norm_neither_moves_nor_uses_the_batch(tiny, context):
    backbone = mock_backbone()
    backbone.image_encoder.train()
    before = {name: value.clone() for name, value in backbone.image_encoder.state_dict().items()}
    extract(backbone, tiny, context)
    for name, value in backbone.image_encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert backbone.image_encoder.training, "the modes are as they were found"


def test_modes_are_restored_one_by_one():
    encoder = mock_backbone().image_encoder.train()
    encoder.stages[0].eval()
    with evaluating(encoder, "cpu"):
        assert not any(m.training for m in encoder.modules()) and not torch.is_grad_enabled()
    assert encoder.training and not encoder.stages[0].training and torch.is_grad_enabled()


def test_a_spoiled_cache_file_is_made_anew(tiny, context):
    first = extract(mock_backbone(), tiny, context)
    (path,) = files(context)
    path.write_bytes(path.read_bytes()[:100])
    assert np.array_equal(extract(mock_backbone(), tiny, context), first)
    os.truncate(path, 0)
    assert np.array_equal(extract(mock_backbone(), tiny, context), first)


def test_an_unreadable_image_leaves_nothing_behind(tiny, context):
    tiny.path(40).write_bytes(b"\x89PNG no more")
    with pytest.raises(BenchError, match="040.png"):
        extract(mock_backbone(), tiny, context)
    assert not list(context.cache_dir.rglob("*.*"))


def test_broken_weights_are_said(tiny, context):
    backbone = mock_backbone()
    torch.nn.init.constant_(backbone.image_encoder.stages[0][0].weight, float("nan"))
    with pytest.raises(BenchError, match="not finite"):
        extract(backbone, tiny, context)


def test_protocol_may_change_how_images_are_fed():
    protocol = protocols.from_dict(
        {"name": "p", "task": "zero_shot", "transform": {"input": {"mean": 0.4}, "eval": {"Resize": 80}}}
    )
    feed = Feed.of(mock_backbone(), protocol)
    assert feed.input.mean == 0.4 and feed.input.size == 64 and feed.steps == {"Resize": 80}
    wrong = protocols.from_dict({"name": "p", "task": "zero_shot", "transform": {"input": {"maen": 0.4}}})
    with pytest.raises(BenchError, match="did you mean mean"):
        Feed.of(mock_backbone(), wrong)


def test_similarity_in_pieces_equals_the_whole(tiny, context, monkeypatch):
    backbone, texts = mock_backbone(), [(f"finding {i} " * (1 + i % 4),) for i in range(7)]
    whole = similarity_matrix(backbone, tiny, texts, context)
    monkeypatch.setattr("prior_bench.features.similarity.TEXTS_AT_ONCE", 3)
    context.cache_dir = context.cache_dir / "other"
    assert similarity_matrix(backbone, tiny, texts, context) == pytest.approx(whole, abs=1e-6)
    assert whole.shape == (60, 7)
    assert backbone.image_encoder.images_seen == 120
    similarity_matrix(backbone, tiny, texts, context)
    assert backbone.image_encoder.images_seen == 120, "the second time it comes from the cache"


def test_a_method_that_is_random_by_design_has_its_own_similarity_for_each_seed(tiny, context):
    backbone, texts = mock_backbone(), [("finding",)]
    backbone.method.random_evaluation = True
    for seed in (0, 1, 0):
        similarity_matrix(backbone, tiny, texts, replace(context, seed=seed))
    assert backbone.image_encoder.images_seen == 2 * len(tiny)
