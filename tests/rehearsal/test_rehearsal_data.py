"""The computed label files have the published counts, and the real readers read them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.annotations.masks import RleMask
from prior_bench.data.readers import object_cxr, rsna_pneumonia
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.tables.listed_images import require_images
from prior_bench.data.tables.shared_images import NAMES, with_shared_images
from prior_bench.errors import BenchError
from prior_bench.rehearsal import FOLDERS, RehearsalData, chexpert, covidx, rsna, siim
from prior_bench.rehearsal import object_cxr as objects
from prior_bench.rehearsal.write import HOMES, WRITERS, write


def test_images_are_shared_only_where_a_list_names_them(tmp_path):
    table = pd.DataFrame({"id": list("abcde"), "image": [f"{n}.png" for n in "abcde"]})
    with pytest.raises(BenchError, match="5 of 5 images"):
        require_images(table, tmp_path)
    (tmp_path / NAMES).write_text('["shared/0.png", "shared/1.png"]')
    shared, notes = require_images(table, tmp_path)
    assert list(shared["image"]) == ["shared/0.png", "shared/1.png"] * 2 + ["shared/0.png"]
    assert list(shared["id"]) == list("abcde") and notes == ()


def test_every_data_set_has_a_writer():
    assert set(FOLDERS.values()) == set(WRITERS) and set(HOMES) <= set(WRITERS)
    with pytest.raises(BenchError, match="unknown rehearsal data set 'openi'"):
        RehearsalData.root("openi")


@pytest.mark.slow
def test_rsna_has_the_published_boxes(tmp_path):
    rsna.write(tmp_path, None)
    table = rsna_pneumonia.read_labels(tmp_path / rsna.FILE)
    boxes = table["boxes"].map(len)
    assert (len(table), int((boxes > 0).sum()), int(boxes.sum())) == (26_684, 6_012, 9_555)
    assert np.concatenate(list(table["boxes"]))[:, :4].max() <= 1024


def test_siim_has_the_published_regions(tmp_path):
    siim.write(tmp_path, None)
    runs = siim_acr.read_runs(tmp_path / "train-rle.csv")
    images = siim_acr.by_image(runs)
    assert (len(images), int(images[siim_acr.LABEL].sum())) == (12_047, 2_669)
    assert int((runs["run"] != "").sum()) == 3_576
    one = runs["run"].ne("") & ~runs["image_id"].duplicated(keep=False)
    drawn = RleMask((runs["run"][one].iloc[0],)).decode(1024, 1024)
    rows, columns = drawn.any(axis=1).sum(), drawn.any(axis=0).sum()
    assert drawn.sum() == rows * columns and 30 <= min(rows, columns) <= max(rows, columns) < 250


def test_object_cxr_has_the_published_parts(tmp_path):
    objects.write(tmp_path, None)
    for part, images, positive in (("train", 8000, 4000), ("dev", 1000, 500), ("test", 1000, 500)):
        table = object_cxr.read_part(tmp_path / f"{part}.csv", part)
        assert (len(table), int(table[object_cxr.LABEL].sum())) == (images, positive)
    assert table["id"].iloc[0] == "test/09001"


@pytest.mark.slow
def test_covidx_splits_as_published(tmp_path):
    from prior_bench.data.readers import covidx as reader

    covidx.write(tmp_path, None)
    (tmp_path / NAMES).write_text('["0.png"]')
    for version, rule in (("9A", "mgca"), ("unnamed", "benchx")):
        summary = reader.read(tmp_path, version=version, split=rule).split_summary()
        counts = tuple(summary[part] for part in ("train", "valid", "test"))
        assert counts == reader.CARD.published[rule]["images"]


def test_chexpert_table_has_the_wanted_counts():
    table = chexpert.table(500, 400, 120, 7, "train")
    assert len(table) == 500 and table["Path"].is_unique
    assert table["Frontal/Lateral"].eq("Frontal").sum() == 400
    assert table["Path"].str.split("/").str[2].nunique() == 120
    assert table["Path"].iloc[0].startswith("CheXpert-v1.0-small/train/patient00007/study1/view1_")


@pytest.mark.slow
def test_the_whole_chexpert_is_written_without_public_files(tmp_path):
    from prior_bench.data.readers.chexpert import five_by_200, reader

    folder = tmp_path / "chexpert"
    write("chexpert", folder, None)
    summary = reader.read(folder, split="mgca").split_summary()
    assert summary["train"] > 180_000 and summary["test"] == 202
    assert len(five_by_200.read(folder, split="prior_list")) == 1000
    assert not [path for path in folder.rglob("*.jpg") if path.parent.name != "shared"]


def test_public_and_computed_files_are_not_mixed(tmp_path, monkeypatch):
    import prior_bench.rehearsal as room

    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path))
    places = []
    for public in (None, Path("somewhere")):
        monkeypatch.setattr(room, "public_files", lambda public=public: public)
        places.append(room.place_of("chexpert"))
    assert places[0] != places[1]


@pytest.mark.parametrize("content", ["[]", "{}", '"x"', "[1]", "[" * 100_000])
def test_a_list_of_shared_images_that_is_none_is_named(tmp_path, content):
    (tmp_path / NAMES).write_text(content)
    with pytest.raises(BenchError, match=NAMES.replace(".", r"\.")):
        with_shared_images(pd.DataFrame({"image": ["a"]}), tmp_path)
