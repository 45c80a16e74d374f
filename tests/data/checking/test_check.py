"""``data check`` and its siblings: sound data pass, every kind of trouble is found, counted and exits 1."""

import json
from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.cli import main
from prior_bench.data.annotations.masks import BoxMask, FileMask, RleMask
from prior_bench.data.cards import card
from prior_bench.data.checking import content
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


# --- findings: what makes readable data unusable ---


def kinds(report, level):
    return {finding.kind for finding in report.findings if finding.level == level}


def paint(manifest, row, pixels):
    Image.fromarray(np.asarray(pixels, np.uint8)).save(manifest.path(row).with_suffix(".png"))
    manifest.table.loc[row, "image"] = f"{row}.png"


def test_constant_images_are_counted(manifest):
    paint(manifest, 0, np.full((40, 50), 7))
    paint(manifest, 3, np.full((40, 50), 7) + np.eye(40, 50))
    report = check(manifest)
    assert "1 images are constant (one grey level), e.g. i0" in report.remarks
    assert "1 images are nearly constant (spread below 2 grey levels), e.g. i3" in report.remarks
    for row in range(8):
        paint(manifest, row, np.full((40, 50), row))
    report = check(manifest)
    assert "8 images are constant (one grey level), e.g. i0, i1, i2, i3, i4" in report.problems
    assert not kinds(report, "problem") & {"same image"}, "black images are no copies of one another"


def test_masks_without_with_nothing_but_and_with_half_a_foreground(manifest):
    for row, value in enumerate((0, 255, 128, 255, 255, 0, 255, 0)):
        pixels = np.zeros((40, 50), np.uint8)
        pixels[: 20 + 20 * (row == 3)] = value
        pixels[0, 0] = 255 if row == 2 else pixels[0, 0]
        Image.fromarray(pixels).save(manifest.root / f"mask{row}.png")
    masks = [FileMask(f"mask{row}.png", manifest.root) for row in range(8)]
    manifest.table["mask"] = pd.Series(masks, dtype=object)
    report = check(manifest)
    assert "3 of 8 masks are empty, e.g. i0, i5, i7" in report.of_level("note")
    assert "1 of 8 masks cover the whole image, e.g. i3" in report.remarks
    assert any("more than two grey levels" in text and "mask2.png" in text for text in report.remarks)
    assert report.usable
    manifest.table.at[6, "mask"] = masks[0]
    assert check(manifest).problems == [
        "no image of test has a mask with foreground: Dice and IoU are undefined"
    ]
    manifest.table["mask"] = pd.Series([masks[0]] * 8, dtype=object)
    assert "8 of 8 masks are empty, e.g. i0, i1, i2, i3, i4" in check(manifest).problems


def test_parts_without_boxes_and_classes_of_one_part(manifest):
    boxes = manifest.table["boxes"].tolist()
    boxes[7] = boxes[0]
    manifest.table["boxes"] = pd.Series(boxes, dtype=object)
    words = "no image of test has a box: average precision and FROC are undefined"
    assert check(manifest).problems == [words]
    manifest.table.at[7, "boxes"] = np.array([[1, 1, 9, 9, 1]], np.float32)
    report = check(replace(manifest, box_classes=("object", "nodule")))
    assert "boxes of the class 'nodule' are in test alone" in report.remarks and report.usable


def test_one_image_in_two_splits(manifest):
    pixels = np.asarray(Image.open(manifest.path(0)).convert("L"))
    paint(manifest, 6, pixels)
    assert check(manifest).problems == [
        "1 images are in train and, with the same pixels, in test, e.g. i0 = i6"
    ]
    manifest.table["split"] = "train"
    assert any(text.startswith("1 images occur under several names") for text in check(manifest).remarks)


def test_near_identical_images_are_looked_for_on_request(manifest):
    smooth = np.kron(np.random.default_rng(0).integers(0, 200, (8, 10)), np.ones((5, 5)))
    paint(manifest, 0, smooth)
    paint(manifest, 7, smooth * 0.9 + 10)
    words = "1 images of train look nearly the same as one of test (perceptual hash), e.g. i0 = i7"
    assert words in check(manifest, near=True).remarks
    assert not kinds(check(manifest), "remark") & {"near-identical images"}


@pytest.mark.parametrize("other", ["p0 ", "P0", "p00", " p 0"])
def test_patients_that_differ_by_spelling(manifest, other):
    manifest.table.loc[7, "patient_id"] = other
    found = [text for text in check(manifest).problems if "patient ids" in text]
    assert len(found) == 1 and "are in several splits" in found[0] and repr(other) in found[0]
    manifest.table.loc[7, "patient_id"], manifest.table.loc[1, "patient_id"] = "p7", other
    report = check(manifest)
    assert report.usable and kinds(report, "remark") >= {"patient ids"}
    manifest.table.loc[1, "patient_id"] = "p10"
    assert not kinds(check(manifest), "remark") & {"patient ids"}


def test_prevalence_drift(tmp_path):
    table = pd.DataFrame({"id": [f"i{n}" for n in range(400)]})
    table["patient_id"], table["image"] = table["id"], "none.png"
    table["split"] = ["train"] * 200 + ["test"] * 200
    table["y"] = [float(n % 2) for n in range(200)] + [float(n % 4 == 0) for n in range(200)]
    drifted = content.check_labels(Manifest("toy", tmp_path, table, labels=("y",)))
    assert [one.what for one in drifted] == ["label 'y' is positive in 50% of train and 25% of test"]
    table["y"] = [float(n % 2) for n in range(400)]
    assert content.check_labels(Manifest("toy", tmp_path, table, labels=("y",))) == []


def test_views_sexes_ages_and_sizes_are_described(manifest):
    manifest.table["view"] = ["PA", "AP"] * 4
    manifest.table["about_Sex"], manifest.table["about_age"] = ["f"] * 8, list(range(30, 38))
    rows = {name: cells for name, *cells in check(manifest).counts}
    assert rows["view: PA"] == ["2", "1", "1"] and rows["sex: f"] == ["4", "2", "2"]
    assert rows["age: median (range)"][0] == "31.5 (30 to 33)"
    assert rows["height: median (range)"] == ["40 (40 to 40)"] * 3
    assert rows["share positive: y"] == ["50.0%", "50.0%", "0.0%"]


def test_json_strict_and_page(capsys, tmp_path):
    page = tmp_path / "page.html"
    assert (
        main(["data", "check", str(REAL), "--set", "label=projection", "--json", "--report", str(page)]) == 0
    )
    out = json.loads(capsys.readouterr().out)
    assert out["verdict"] == "usable with remarks" and out["counts"]["images"]["train"]
    assert out["columns"]["projection"].startswith("label: 2 classes, ap 7, pa 5")
    assert {"level", "what", "count", "examples", "kind"} == set(out["findings"][0])
    text = page.read_text()
    assert "is usable with remarks" in text and text.count("<image") >= 6 and "http://" not in text
    assert main(["data", "check", str(REAL), "--set", "label=projection", "--strict"]) == 1
    assert main(["data", "check", str(REAL), "--report", "/dev/null/page.html"]) == 1
    assert "Traceback" not in capsys.readouterr().err
