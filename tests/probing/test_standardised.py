"""Features are standardised block by block, to the last bit as scikit-learn does it at once."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from prior_bench.probing import standardised as module
from prior_bench.probing.logistic import probe
from prior_bench.probing.standardised import fit_scaler, standardised


def features_of(rows, width, dtype=np.float32):
    random = np.random.default_rng(rows + width)
    values = random.normal(size=(rows, width)) * np.exp(3 * random.normal(size=width)) + 5
    values[:, 0] = 0.1  # no variance
    return values.astype(dtype)


@pytest.mark.parametrize(("rows", "width"), [(101, 1), (101, 2), (1000, 33), (1003, 257), (64, 8), (5, 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_give_the_same_bits(rows, width, dtype, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 64)
    features = features_of(rows, width, dtype)
    plain, ours = StandardScaler().fit(features), fit_scaler(features)
    for name in ("mean_", "var_", "scale_", "n_samples_seen_", "n_features_in_"):
        assert np.array_equal(getattr(ours, name), getattr(plain, name)), name
    found = standardised(ours, features)
    assert found.dtype == dtype and np.array_equal(found, plain.transform(features))


def test_half_precision_is_read_as_single(monkeypatch):
    monkeypatch.setattr(module, "ROWS", 64)
    half = (features_of(200, 5) / 1000).astype(np.float16)
    single = half.astype(np.float32)
    scaler = fit_scaler(half)
    assert np.array_equal(scaler.scale_, StandardScaler().fit(single).scale_)
    found = standardised(scaler, half)
    assert found.dtype == np.float32 and np.array_equal(found, scaler.transform(single))


def test_a_large_result_is_in_a_file_without_a_name(tmp_path, monkeypatch):
    features = features_of(50, 4)
    scaler = fit_scaler(features)
    monkeypatch.setattr(module, "IN_MEMORY", 100)
    found = standardised(scaler, features, tmp_path / "scratch")
    assert isinstance(found, np.memmap) and np.array_equal(found, scaler.transform(features))
    assert list((tmp_path / "scratch").iterdir()) == []
    (tmp_path / "file").write_text("")
    found = standardised(scaler, features, tmp_path / "file")
    assert not isinstance(found, np.memmap) and np.array_equal(found, scaler.transform(features))


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_probe_of_blocks_is_the_probe_of_the_whole(exclusive, tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    features = {part: features_of(n, 6) for part, n in (("train", 300), ("valid", 80), ("test", 70))}
    targets = {part: (random.random((len(features[part]), 2)) < 0.4).astype(float) for part in features}
    if exclusive:
        targets = {part: np.eye(2)[t[:, 0].astype(int)] for part, t in targets.items()}
    else:
        targets["train"][::7, 1] = np.nan
    options = dict(exclusive=exclusive, strengths=(0.01, 1.0))
    whole = probe(features, targets, **options)
    monkeypatch.setattr(module, "ROWS", 32)
    monkeypatch.setattr(module, "IN_MEMORY", 100)
    parts = probe(features, targets, **options, scratch=tmp_path)
    assert np.array_equal(parts.test, whole.test) and np.array_equal(parts.valid, whole.valid)
    assert parts.history == whole.history
    assert np.array_equal(parts.predict(features["test"]), whole.predict(features["test"]))
