"""Label fractions: by patient, nested, stratified, seeded."""

from pathlib import Path

import pandas as pd
import pytest

from prior_bench.data.fractions import label_fraction
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError


@pytest.fixture(scope="module")
def manifest():
    rows = [
        {
            "id": f"{p}-{i}",
            "patient_id": f"p{p:03d}",
            "image": f"{p}-{i}.png",
            "split": "train",
            "y": float(p < 40),
        }
        for p in range(200)
        for i in range(1 + p % 4)
    ]
    return Manifest("toy", Path("unused"), pd.DataFrame(rows), labels=("y",))


def test_share_of_patients_with_all_their_images(manifest):
    part = label_fraction(manifest, 0.1, seed=0)
    assert part.table["patient_id"].nunique() == 20
    whole = manifest.table.groupby("patient_id").size()
    drawn = part.table.groupby("patient_id").size()
    assert (drawn == whole[drawn.index]).all()
    assert part.table.groupby("patient_id")["y"].first().sum() == pytest.approx(4, abs=1)


@pytest.mark.parametrize("by", ["patient_id", "id"])
def test_nested_for_one_seed_and_different_for_another(manifest, by):
    drawn = [set(label_fraction(manifest, f, seed=3, by=by).table["id"]) for f in (0.01, 0.1, 0.5, 1)]
    assert drawn[0] < drawn[1] < drawn[2] < drawn[3] == set(manifest.table["id"])
    assert set(label_fraction(manifest, 0.1, seed=4, by=by).table["id"]) != drawn[1]
    assert set(label_fraction(manifest, 0.1, seed=3, by=by).table["id"]) == drawn[1]


def test_never_empty_and_in_order(manifest):
    tiny = label_fraction(manifest, 0.0001, seed=0)
    assert tiny.table["patient_id"].nunique() == 1
    part = label_fraction(manifest, 0.3, seed=0).table["id"].tolist()
    assert part == [i for i in manifest.table["id"] if i in set(part)]


def test_rows_as_the_papers_draw_them(manifest):
    part = label_fraction(manifest, 0.1, seed=42, by="rows")
    expected = manifest.table.sample(frac=0.1, random_state=42)["id"].tolist()
    assert part.table["id"].tolist() == expected


def test_bad_input(manifest):
    for fraction in (0, -0.1, 1.5, 10):
        with pytest.raises(BenchError, match="not in"):
            label_fraction(manifest, fraction, seed=0)
    with pytest.raises(BenchError, match="no such column"):
        label_fraction(manifest, 0.1, seed=0, by="study")
