import hashlib
import os
import shutil

import numpy as np
import pandas as pd
import pydicom
import pytest
from PIL import Image

from prior_bench import paths
from prior_bench.data.annotations.masks import RleMask
from prior_bench.errors import BenchError
from prior_bench.sample import VERSION, sample_root
from prior_bench.sample.cohorts import SAMPLE, SAMPLE_VALIDATION
from prior_bench.sample.drawing.render import render
from prior_bench.sample.generate import _written_beside, generate
from prior_bench.sample.layouts import rsna_pneumonia as write_rsna_pneumonia
from prior_bench.sample.layouts import siim_acr as write_siim_acr
from prior_bench.sample.reports.language import LABELS
from prior_bench.sample.sizes import SIZES

SIZE = SIZES["tiny"]


def content(folder):
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


@pytest.mark.slow
def test_same_bytes_every_time_and_with_any_number_of_processes(tiny_sample, tmp_path):
    again = generate(tmp_path / "again", "tiny", processes=3)
    assert content(again) == content(tiny_sample)
    assert [p.name for p in tmp_path.iterdir()] == ["again"], "nothing but the result is left behind"


def test_other_people_other_images(tiny_sample, tmp_path):
    other = content(generate(tmp_path / "other", "tiny", SAMPLE_VALIDATION))
    images = {value for name, value in content(tiny_sample).items() if name.endswith((".jpg", ".dcm"))}
    assert images.isdisjoint(other.values())


def test_says_synthetic(tiny_sample):
    assert (tiny_sample / "README.txt").read_text().startswith("SYNTHETIC")


def test_the_first_of_two_processes_wins(tmp_path):
    folder = tmp_path / "sample"
    folder.mkdir()
    (folder / "kept").write_text("by the other process")
    generate(folder, "tiny")
    assert [p.name for p in folder.iterdir()] == ["kept"]
    assert [p.name for p in tmp_path.iterdir()] == ["sample"]


def test_leftovers_of_killed_processes_are_removed(tmp_path):
    old, young = tmp_path / ".sample.host-1-0a.part", tmp_path / ".sample.host-2-0b.part"
    for leftover in (old, young):
        (leftover / "mimic_cxr").mkdir(parents=True)
    os.utime(old, (0, 0))
    with _written_beside(tmp_path / "sample"):
        pass
    assert young.is_dir() and not old.exists()


def test_a_failing_process_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(BenchError, match="writing the sample data failed"):
        generate(tmp_path / "sample", "tiny", processes=2)
    assert not list(tmp_path.iterdir())


def test_sample_root_generates_once_and_knows_its_sizes(tmp_path, monkeypatch, tiny_sample):
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    shutil.copytree(tiny_sample, tmp_path / f"sample-{VERSION}-tiny")
    assert (
        sample_root("chexpert_5x200")
        == sample_root("chexpert")
        == paths.data_root() / (f"sample-{VERSION}-tiny/chexpert")
    )
    with pytest.raises(BenchError, match="unknown sample data set"):
        sample_root("chexprt")
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "huge")
    with pytest.raises(BenchError, match="unknown sample size"):
        sample_root("chexpert")


def test_mimic_cxr_layout(tiny_sample):
    root = tiny_sample / "mimic_cxr"
    metadata, split, labels = (
        pd.read_csv(root / f"mimic-cxr-2.0.0-{name}.csv.gz") for name in ("metadata", "split", "chexpert")
    )
    needed = {"dicom_id", "subject_id", "study_id", "ViewPosition", "Rows", "Columns"}
    assert needed <= set(metadata)
    assert list(split) == ["dicom_id", "study_id", "subject_id", "split"]
    assert set(split["split"]) == {"train", "validate", "test"}
    assert (split.groupby("subject_id")["split"].nunique() == 1).all()
    assert list(labels) == ["subject_id", "study_id", *sorted(LABELS)]
    assert labels.iloc[:, 2:].isin((-1.0, 0.0, 1.0, np.nan)).all().all()
    assert {"AP", "PA", "LATERAL"} == set(metadata["ViewPosition"])
    for row in metadata.itertuples():
        folder = root / "files" / f"p{str(row.subject_id)[:2]}" / f"p{row.subject_id}" / f"s{row.study_id}"
        assert Image.open(folder / f"{row.dicom_id}.jpg").size == (row.Columns, row.Rows) == (SIZE.side,) * 2
        report = folder.with_suffix(".txt").read_text()
        assert report.lstrip().startswith("FINAL REPORT")
        assert "FINDINGS:" in report and "IMPRESSION:" in report
        assert "___" in report and all(len(line) < 82 for line in report.splitlines())
    assert len(list(root.rglob("*.jpg"))) == len(metadata)


def test_chexpert_layout(tiny_sample):
    root = tiny_sample / "chexpert"
    columns = (
        "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,"
        "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,"
        "Fracture,Support Devices"
    ).split(",")
    parts = {part: pd.read_csv(root / "CheXpert-v1.0-small" / f"{part}.csv") for part in ("train", "valid")}
    for part, table in parts.items():
        assert list(table) == columns
        name = rf"CheXpert-v1.0-small/{part}/patient\d{{5}}/study\d/view\d_(?:front|later)al.jpg"
        assert table["Path"].str.fullmatch(name).all()
        assert (table["Path"].str.contains("frontal") == (table["Frontal/Lateral"] == "Frontal")).all()
        assert (table["AP/PA"].notna() == (table["Frontal/Lateral"] == "Frontal")).all()
        assert all((root / path).is_file() for path in table["Path"])
    train = parts["train"].iloc[:, 5:]
    assert train.isin((-1.0, 0.0, 1.0, np.nan)).all().all()
    assert (train == -1).any().any() and train.isna().any().any()
    assert parts["valid"].iloc[:, 5:].isin((0.0, 1.0)).all().all(), "readers agreed on every validation label"
    patients = [set(table["Path"].str.split("/").str[2]) for table in parts.values()]
    assert not patients[0] & patients[1]


def test_rsna_layout_boxes_and_pixels(tiny_sample):
    root = tiny_sample / "rsna_pneumonia"
    labels = pd.read_csv(root / "stage_2_train_labels.csv")
    classes = pd.read_csv(root / "stage_2_detailed_class_info.csv")
    assert list(labels) == ["patientId", "x", "y", "width", "height", "Target"]
    assert list(classes) == ["patientId", "class"] and (classes["patientId"] == labels["patientId"]).all()
    assert (labels["x"].notna() == (labels["Target"] == 1)).all() and labels["Target"].nunique() == 2
    assert ((classes["class"] == "Lung Opacity") == (labels["Target"] == 1)).all()
    for patient in write_rsna_pneumonia.cohort(SIZE, SAMPLE):
        name, study = write_rsna_pneumonia.patient_id(patient), patient.studies[0]
        image = render(patient, study, study.views[0], SIZE.side)
        stored = pydicom.dcmread(root / "stage_2_train_images" / f"{name}.dcm")
        assert stored.PatientID == name and stored.BitsStored == 8
        assert stored.PhotometricInterpretation == "MONOCHROME2"
        assert np.abs(stored.pixel_array.astype(int) - image.pixels).mean() < 6, "JPEG only blurs a little"
        rows = labels[labels["patientId"] == name]
        covered = np.zeros((SIZE.side,) * 2, bool)
        for box in rows[rows["Target"] == 1].itertuples():
            x, y, right, below = (int(v) for v in (box.x, box.y, box.x + box.width, box.y + box.height))
            assert 0 <= x < right <= SIZE.side and 0 <= y < below <= SIZE.side
            covered[y:below, x:right] = True
        mask = image.mask("consolidation")
        assert (mask & covered).sum() >= 0.85 * mask.sum(), "the boxes hold the consolidation"


def test_siim_layout_and_run_lengths_decode_to_what_was_drawn(tiny_sample):
    root = tiny_sample / "siim_acr"
    lines = (root / "train-rle.csv").read_text().splitlines()
    assert lines[0] == "ImageId, EncodedPixels"
    runs = {}
    for line in lines[1:]:
        name, value = line.split(",")
        assert value.startswith(" ")
        runs.setdefault(name, []).append(value.strip())
    assert any(len(values) == 2 for values in runs.values()), "some images have several rows"
    assert any(values == ["-1"] for values in runs.values())
    for patient in write_siim_acr.cohort(SIZE, SAMPLE):
        study, uids = patient.studies[0], write_siim_acr.image_uids(patient)
        stored = pydicom.dcmread(root / "dicom-images-train" / uids[0] / uids[1] / f"{uids[2]}.dcm")
        assert stored.SOPInstanceUID == uids[2] and stored.pixel_array.shape == (SIZE.side,) * 2
        regions = tuple(run for run in runs[uids[2]] if run != "-1")
        decoded = RleMask(regions).decode(stored.Rows, stored.Columns).astype(bool)
        image = render(patient, study, study.views[0], SIZE.side)
        assert (decoded == image.mask("pneumothorax")).all()
        assert bool(regions) == study.has("pneumothorax")


def test_run_lengths_of_a_small_mask():
    mask = np.array([[0, 1, 1], [1, 1, 0]], bool)  # columns: 01, 11, 10 -> gap 1, run 4
    assert write_siim_acr.encode(mask) == "1 4"
    mask = np.array([[1, 0, 1], [0, 0, 1]], bool)
    assert write_siim_acr.encode(mask) == "0 1 3 2"
