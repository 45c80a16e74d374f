"""``data check`` and its siblings: sound data pass, every kind of trouble is found, counted and exits 1."""

from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.cli import main
from prior_bench.data.annotations.masks import BoxMask, RleMask
from prior_bench.data.cards import card
from prior_bench.data.checking.check import check
from prior_bench.data.manifest import Manifest
from prior_bench.registry import DATASETS

REAL = Path(__file__).parents[1] / "hannover_cxr" / "metadata.csv"


@pytest.fixture
def manifest(tmp_path):
    splits = ["train"] * 4 + ["valid"] * 2 + ["test"] * 2
    for number in range(8):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 50), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.jpg")
    boxes = [
        np.array([[1, 1, 9, 9, 0]], np.float32) if n % 2 else np.zeros((0, 5), np.float32) for n in range(8)
    ]
    table = pd.DataFrame(
        {
            "id": [f"i{n}" for n in range(8)],
            "patient_id": [f"p{n}" for n in range(8)],
            "image": [f"{n}.jpg" for n in range(8)],
            "split": splits,
            "y": [0.0, 1, 0, 1, 0, 1, 0, np.nan],
            "boxes": pd.Series(boxes, dtype=object),
            "mask": pd.Series([BoxMask(b) for b in boxes], dtype=object),
            "report": pd.Series([("Clear lungs.", "No edema here.")] * 7 + [None], dtype=object),
        }
    )
    return Manifest("toy", tmp_path, table, labels=("y",), box_classes=("object",), dropped={"too short": 3})


def test_sound_data(manifest):
    report = check(manifest)
    assert report.usable
    assert report.remarks == [
        "3 images left out: too short",
        "label 'y' has only one value in test: its AUROC is undefined",
    ]
    assert len(report.of_level("note")) == 3  # empty masks, and two about tokens: test_report_lengths.py
    counts = {name: cells for name, *cells in report.counts}
    assert counts["images"] == counts["patients"] == ["4", "2", "2"]
    assert counts["positive: y"] == ["2", "1", "0 (1 unknown)"]
    assert counts["boxes"] == ["2", "1", "1"] and counts["masks annotated"] == ["4", "2", "2"]
    assert counts["images with report"] == ["4", "2", "1"]
    assert counts["sentences a report"] == ["2.0", "2.0", "2.0"] and counts["words a report"][0] == "5.0"
    text = report.text("toy")
    assert f"hash {manifest.split_summary()['hash']}" in text and text.endswith(
        "toy is usable with remarks: 2 remarks"
    )


def test_unreadable_images_are_all_counted_and_the_first_named(manifest):
    for number in range(7):
        path = manifest.path(number)
        path.write_bytes(path.read_bytes()[:400])
    report = check(manifest)
    assert len([p for p in report.problems if "not a readable image" in p]) == 5
    assert "... 7 of 8 images or masks cannot be read" in report.problems
    assert "verdict: toy is not usable: " in report.text("toy")
    assert check(manifest, decode=False).usable  # headers are intact


def test_shared_patients_and_images(manifest):
    manifest.table.loc[6, "patient_id"] = "p0"
    manifest.table.loc[5, "image"] = "0.jpg"
    problems = check(manifest).problems
    assert "1 patients are in train and in test, e.g. p0" in problems
    assert "1 images are in train and in valid, e.g. 0.jpg" in problems


def test_masks_boxes_and_labels_that_cannot_be(manifest):
    manifest.table["mask"] = pd.Series([RleMask(("1 9999",))] + [None] * 7, dtype=object)
    manifest.table.at[1, "boxes"] = np.array([[10, 10, 90, 20, 0]], np.float32)
    manifest.table["y"] = 1.0
    problems = " | ".join(check(manifest).problems)
    assert "run-length mask reaches 10000, outside the image's 2000 pixels" in problems
    assert "1 images have boxes that extend beyond the image, e.g. i1" in problems
    assert "label 'y' has only one value" in problems


def test_published_counts_are_compared(manifest):
    published = {
        "default": {"images": (4, 2, 2), "positive: y": (2, 1, 9), "masks": (1, 1, 1)},
        "all": {"patients": (8,), "boxes": (5,)},
        "other": {"images": (1, 1, 1)},
    }
    report = check(manifest, published=published)
    rows = {line.split("  ")[0]: line.split()[-3:] for line in report.text("toy").splitlines()}
    assert rows["images"][-1] == "4/2/2" and rows["positive: y"][-1] == "2/1/9"
    assert rows["patients"] == ["8", "in", "all"] and rows["sentences"] != ["8", "in", "all"]
    assert "published" not in check(manifest).text("toy")
    assert report.of_level("note")[:2] == ["images: 4/2/2, as published", "patients: 8, as published"]
    assert report.remarks[:3] == [
        "positive: y: 2/1/0, published are 2/1/9",
        "masks: 0/0/0, published are 1/1/1",
        "boxes: 4, published are 5",
    ]


def test_notes_are_shown_and_recorded(manifest):
    noted = replace(manifest, notes=("version found: 9A",))
    assert check(noted).remarks[0] == "version found: 9A"
    assert noted.split_summary()["notes"] == ["version found: 9A"] and "notes" not in manifest.split_summary()


def test_empty_split_is_remarked(manifest):
    part = manifest.select(np.arange(6))
    assert "no rows in test" in check(part).remarks


# --- command line ---


def test_check_of_real_images(capsys):
    assert main(["data", "check", str(REAL), "--set", "label=projection"]) == 0
    out = capsys.readouterr().out
    assert "positive: projection=pa" in out and "verdict: metadata is usable" in out


def test_check_exits_1_when_something_is_wrong(capsys):
    assert main(["data", "check", str(REAL), "--quick"]) == 1  # nobody died
    assert "problem: label 'died' has only one value" in capsys.readouterr().out


def test_check_of_what_is_not_there(capsys, tmp_path):
    assert main(["data", "check", f"rsna_pneumonia@{tmp_path}"]) == 1
    error = capsys.readouterr().err
    assert "stage_2_train_labels.csv is missing" in error and "Traceback" not in error
    assert main(["data", "check", str(REAL), "--set", "label"]) == 1
    assert "'label' is not KEY=VALUE" in capsys.readouterr().err
    assert main(["data", "check", str(REAL), "--split", "by_patint"]) == 1
    assert "did you mean by_patient" in capsys.readouterr().err


OURS = sorted(p.name for p in entry_points(group="prior_bench.datasets") if p.dist.name == "prior-bench")


def test_all_our_data_sets_are_described():
    assert len(OURS) >= 13 and {"mimic_cxr", "openi", "vindr_cxr", "csv"} <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_describe(capsys, name):
    assert main(["data", "describe", name]) == 0
    out = capsys.readouterr().out
    assert card(name).title in out and "expected files" in out
    module = __import__(DATASETS.get(name).__module__, fromlist=["RULES"])
    assert set(card(name).splits) == set(module.RULES) and all(card(name).splits.values())
    assert all(rule in out for rule in module.RULES)
    assert all(f"\n  {fact} " in out for fact in ("annotations", "size", "from", "access"))
    facts = card(name)
    assert all((facts.what, facts.size, facts.source, facts.access, facts.tree.strip(), facts.annotations))
    assert ("\n  not from " in out) == bool(facts.gone)
    assert max(map(len, out.splitlines())) <= 110


def test_places_where_nothing_is_left_are_named(capsys):
    main(["data", "describe", "object_cxr"])
    out = capsys.readouterr().out
    assert "not from" in out and "MGCA issue 35" in out and "fdc91f11d7010f7259a05403fc9d00079a09f5d5" in out
    main(["data", "describe", "siim_acr"])
    out = " ".join(capsys.readouterr().out.split())
    assert "the competition's own download" in out and "academictorrents.com, 6ef7c6d0" in out


def test_describe_of_an_unknown_data_set(capsys):
    assert main(["data", "describe", "rsna_pnuemonia"]) == 1
    assert "did you mean rsna_pneumonia" in capsys.readouterr().err


def test_sample_says_where_it_lies(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr("prior_bench.sample.sample_root", lambda name: tmp_path / name)
    assert main(["data", "sample"]) == 0
    out = capsys.readouterr().out
    assert str(tmp_path / "siim_acr") in out and "synthetic" in out


def test_the_table_in_the_docs_has_every_split_rule():
    page = (Path(__file__).parents[3] / "docs/data_sets.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for name in OURS:
        told = rows[name].split("|")[4]
        assert [rule for rule in card(name).splits if f"`{rule}`" not in told] == [], name
