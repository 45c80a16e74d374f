"""Real annotation rows, with radiographs rendered to show what they say, through readers and transforms.

The rows are lines of the files in the torchxrayvision wheel, unchanged; each image is one of a pair of twins,
the other being the same patient on the same film without the finding. What differs between the twins must lie
where the reader says: boxes and masks that are shifted, transposed or exchanged would not match.
"""

import csv
import gzip
import re
import tarfile
import zipfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from rendered import SIDE, Twins, marked, with_findings
from scipy.ndimage import maximum_filter, minimum_filter
from writers import write_dicom, write_text

from prior_bench.api import InputSpec
from prior_bench.cli import main
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import dense_transform
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers import nih_chestxray14, rsna_pneumonia
from prior_bench.data.readers.chexpert import reader as chexpert
from prior_bench.data.readers.openi import reader as openi
from prior_bench.data.readers.siim_acr import reader as siim_acr
from prior_bench.data.readers.vindr_cxr import reader as vindr_cxr
from prior_bench.sample.drawing.findings import Finding

COUNT = 24
"""Images of each data set, half of them with findings where both kinds exist."""
VISIBLE = 12
"""Grey values by which a finding changes a pixel at least."""


def lines_by(text: str, key: int) -> tuple[str, dict[str, list[str]]]:
    """Header of a table, and its lines as they are, by the field ``key``."""
    header, *lines = text.splitlines()
    found = defaultdict(list)
    for line in lines:
        found[next(csv.reader([line]))[key]].append(line)
    return header, found


def filled(shape: tuple[int, int], boxes) -> np.ndarray:
    """uint8 mask of boxes (x, y, width, height)."""
    mask = np.zeros(shape, np.uint8)
    for x, y, width, height in boxes:
        mask[round(y) : round(y + height), round(x) : round(x + width)] = 1
    return mask


def agree(data: Manifest, twins: dict[str, Twins], sign: int = 1) -> None:
    """Pixels, masks and boxes of every row say the same, as stored and as networks are fed."""
    feed, seen = dense_transform(InputSpec(size=224)), 0
    for row, name in enumerate(data.table["id"]):
        twin = twins[name]
        image = read_image(data.path(row))
        np.testing.assert_array_equal(image, twin.ill)
        change = sign * twin.difference()
        boxes = data.table["boxes"].iat[row] if data.has("boxes") else None
        if data.has("masks"):
            mask = data.table["mask"].iat[row].decode(*image.shape)
        else:
            mask = filled(image.shape, [(x, y, X - x, Y - y) for x, y, X, Y in boxes[:, :4]])
        block = -(-max(image.shape) // SIDE)  # stored pixels to a rendered one
        reach = 6 * block + 1  # the film is blurred over a few of them
        assert not change[maximum_filter(mask, reach) == 0].any(), f"{name}: outside what is annotated"
        core = minimum_filter(mask, reach) > 0
        if core.any():
            assert np.percentile(change[core], 5) >= VISIBLE, f"{name}: nothing inside what is annotated"
            seen += 1
        assert bool(change.any()) == bool(mask.any())
        for x1, y1, x2, y2 in boxes[:, :4] if boxes is not None else ():
            whole = change[round(y1) : round(y2), round(x1) : round(x2)]
            assert min(whole.shape) < reach or whole.mean() >= VISIBLE
        ill, placed, drawn, _ = feed(twin.ill, boxes, mask)
        healthy, _, _, _ = feed(twin.healthy, boxes, mask)
        shown = (sign * (ill - healthy)[0] * 127.5 > VISIBLE / 2).numpy()  # back to grey values
        assert not (shown & (maximum_filter(drawn.numpy(), 9) == 0)).any()
        assert shown.any() or not minimum_filter(drawn.numpy(), 9).any()
        if boxes is not None:
            corners = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in placed[:, :4]]
            assert not (shown & (maximum_filter(filled((224, 224), corners), 9) == 0)).any()
    assert seen > COUNT // 4


def sound(capsys, reference: str, *options: str) -> str:
    code = main(["data", "check", reference, *options])
    out = capsys.readouterr().out
    assert code == 0, out
    return out


def spread(names: list[str], count: int) -> list[str]:
    """As many names at even distances."""
    return [names[i] for i in np.linspace(0, len(names) - 1, count).astype(int)]


def test_rsna_boxes(tmp_path, real_annotations, capsys):
    with zipfile.ZipFile(real_annotations / "kaggle_stage_2_train_labels.csv.zip") as archive:
        header, lines = lines_by(archive.read("stage_2_train_labels.csv").decode(), 0)
    ill = [name for name, found in lines.items() if found[0].endswith(",1")]
    several = [name for name in ill if len(lines[name]) > 2]  # three or four boxes on one image
    well = [name for name, found in lines.items() if found[0].endswith(",0")]
    names = [*spread(ill, COUNT // 2 - 4), *spread(several, 4), *spread(well, COUNT // 2)]
    twins = {}
    for number, name in enumerate(names):
        cells = [line.split(",") for line in lines[name]]
        mask = filled((1024, 1024), [tuple(map(float, c[1:5])) for c in cells if c[5] == "1"])
        twins[name] = marked(number, mask)
        write_dicom(tmp_path / f"stage_2_train_images/{name}.dcm", twins[name].ill)
    rows = [line for name in names for line in lines[name]]
    write_text(tmp_path / "stage_2_train_labels.csv", "\n".join([header, *rows]))
    data = rsna_pneumonia.read(tmp_path)
    assert len(data) == len(set(names)) and int(data.targets().sum()) == COUNT // 2
    assert max(map(len, data.table["boxes"])) >= 3
    agree(data, twins)
    assert "positive: Pneumonia" in sound(capsys, f"rsna_pneumonia@{tmp_path}")


def test_siim_run_lengths(tmp_path, real_annotations, capsys):
    text = gzip.decompress((real_annotations / "siim-pneumothorax-train-rle.csv.gz").read_bytes()).decode()
    header, lines = lines_by(text, 0)
    ill = [name for name, found in lines.items() if not found[0].rstrip().endswith(",-1")]
    several = [name for name in ill if len(lines[name]) > 2]
    well = [name for name in lines if name not in set(ill)]
    names = [*spread(ill, COUNT // 2 - 4), *spread(several, 4), *spread(well, COUNT // 2)]
    twins = {}
    for number, name in enumerate(names):
        flat = np.zeros(1024 * 1024, np.uint8)
        for line in lines[name] if name in ill else ():
            position = 0
            numbers = list(map(int, line.partition(",")[2].split()))
            for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
                flat[position + gap : position + gap + length] = 1
                position += gap + length
        twins[name] = marked(number, np.ascontiguousarray(flat.reshape(1024, 1024).T), sign=-1)
        study = f"dicom-images-train/{name}.study/{name}.series"
        write_dicom(tmp_path / study / f"{name}.dcm", twins[name].ill)
    rows = [line for name in names for line in lines[name]]
    write_text(tmp_path / "train-rle.csv", "\n".join([header.replace(",E", ", E"), *rows]))
    data = siim_acr.read(tmp_path)
    assert len(data) == len(set(names)) and int(data.targets().sum()) == COUNT // 2
    assert max(len(mask.runs) for mask in data.table["mask"]) > 2
    agree(data, twins, sign=-1)
    assert "masks annotated" in sound(capsys, f"siim_acr@{tmp_path}")


def test_nih_boxes_and_labels(tmp_path, real_annotations, capsys):
    read = lambda name: gzip.decompress((real_annotations / name).read_bytes()).decode()  # noqa: E731
    box_header, boxes = lines_by(read("BBox_List_2017.csv.gz"), 0)
    header, labels = lines_by(read("Data_Entry_2017_v2020.csv.gz"), 0)
    names = spread(sorted(boxes), COUNT)
    twins = {}
    for number, name in enumerate(names):
        sides = [tuple(map(float, next(csv.reader([line]))[2:6])) for line in boxes[name]]
        twins[name] = marked(number, filled((1024, 1024), sides))
        place = tmp_path / f"images_{1 + number % 12:03d}/images/{name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(twins[name].ill).save(place)
    write_text(
        tmp_path / "BBox_List_2017.csv", "\n".join([box_header, *(b for n in names for b in boxes[n])])
    )
    rows = [line for name in names for line in labels[name]]
    write_text(tmp_path / "Data_Entry_2017_v2020.csv", "\n".join([header, *rows]))
    data = nih_chestxray14.read(tmp_path, boxes=True, split="boxes_by_patient")
    assert len(data) == COUNT
    for row, name in enumerate(data.table["id"]):
        said = set(next(csv.reader([labels[name][0]]))[1].split("|"))
        assert {label for label in data.labels if data.table[label].iat[row] == 1} == said - {"No Finding"}
        drawn = {data.box_classes[int(index)] for index in data.table["boxes"].iat[row][:, 4]}
        assert {"Infiltration" if f == "Infiltrate" else f for f in drawn} <= said
    agree(data, twins)
    options = ["--split", "boxes_by_patient", "--set", "boxes=True", "--set", "labels=Atelectasis"]
    assert "boxes " in sound(capsys, f"nih_chestxray14@{tmp_path}", *options)


@pytest.mark.slow
def test_vindr_boxes_of_three_readers(tmp_path, real_annotations, capsys):
    text = gzip.decompress((real_annotations / "vinbigdata-train.csv.gz").read_bytes()).decode()
    header, lines = lines_by(text, 0)
    ill = sorted(name for name, found in lines.items() if any(",No finding," not in line for line in found))
    well = sorted(name for name in lines if name not in set(ill))
    names = [*spread(ill, COUNT // 2), *spread(well, COUNT // 2)]
    write_text(tmp_path / "train.csv", "\n".join([header, *(line for name in names for line in lines[name])]))
    twins = {}
    for number, name in enumerate(names):
        drawn = [tuple(map(float, line.split(",")[4:8])) for line in lines[name] if not line.endswith(",,,")]
        # the table does not say how large the images are: as large as their boxes need, and not square
        height = int(max([y2 for *_, y2 in drawn], default=600)) + 40
        width = int(max([x2 for _, _, x2, _ in drawn], default=500)) + 20
        sides = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in drawn]
        twins[name] = marked(number, filled((height, width), sides))
        write_dicom(tmp_path / f"train/{name}.dicom", twins[name].ill)
    data = vindr_cxr.read(tmp_path, boxes="all", agree=1)
    assert len(data) == COUNT and int((data.targets().sum(axis=1) > 0).sum()) == COUNT // 2
    assert sum(map(len, data.table["boxes"])) == sum(",No finding," not in i for n in names for i in lines[n])
    agree(data, twins)
    fused = vindr_cxr.read(tmp_path)
    for row, name in enumerate(fused.table["id"]):  # a fused box is a mean of boxes: within what readers drew
        for x1, y1, x2, y2 in fused.table["boxes"].iat[row][:, :4]:
            assert (twins[name].difference()[round(y1) : round(y2), round(x1) : round(x2)] > 0).mean() > 0.9
    seen = {label for label in fused.labels if 0 < fused.table[label].sum()}
    assert "boxes" in sound(capsys, f"vindr_cxr@{tmp_path}", "--set", f"labels={sorted(seen)[0]}")


KINDS = {"Cardiomegaly": ("cardiomegaly", "", ""), "Pleural Effusion": ("effusion", "bilateral", "lower")}


def test_chexpert_findings(tmp_path, real_annotations, capsys):
    text = gzip.decompress((real_annotations / "chexpert_train.csv.gz").read_bytes()).decode()
    header, *lines = text.splitlines()
    columns = header.split(",")
    kept = {kind: [] for kind in ("Cardiomegaly", "Pleural Effusion", "both", "none")}
    for line in lines[::20]:
        cells = dict(zip(columns, next(csv.reader([line])), strict=True))
        marks = {name for name in KINDS if cells[name] == "1.0"}
        if cells["Frontal/Lateral"] == "Frontal" and not any(cells[name] == "-1.0" for name in KINDS):
            kept["both" if len(marks) == 2 else next(iter(marks), "none")].append((line, marks))
    chosen = [one for found in kept.values() for one in spread(found, COUNT // 4)]
    twins, tables = {}, {"train": [header], "valid": [header]}
    for number, (line, marks) in enumerate(chosen):
        part = (
            "valid" if number % 4 == 3 else "train"
        )  # the wheel has no valid.csv: its lines are of train.csv
        line = line.replace("/train/", f"/{part}/")
        tables[part].append(line)
        findings = tuple(Finding(*KINDS[name], 0.7, number) for name in sorted(marks))
        place = Path(line.partition(",")[0].partition("/")[2])
        twins[str(place.with_suffix(""))] = with_findings(number, findings), marks
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(twins[str(place.with_suffix(""))][0].ill).save(tmp_path / place, quality=95)
    for part, rows in tables.items():
        write_text(tmp_path / f"{part}.csv", "\n".join(rows))
    data = chexpert.read(tmp_path, labels=list(KINDS))
    assert len(data) == len(chosen) and (data.targets().sum(axis=0) == COUNT // 2).all()
    for row, name in enumerate(data.table["id"]):
        twin, marks = twins[name]
        assert {label for label in KINDS if data.table[label].iat[row] == 1} == marks
        seen = np.abs(
            read_image(data.path(row)).astype(int) - twin.healthy
        )  # a JPEG: off by a few everywhere
        assert (seen > 15).mean() > 0.01 if marks else seen.max() <= 15
    sound(capsys, f"chexpert@{tmp_path}", "--set", f"labels={list(KINDS)}")


def letters(text: str) -> str:
    """A report without list numbers, marks of de-identification, punctuation and white space."""
    return re.sub(r"X{4,}|[^A-Za-z]", "", text)


@pytest.mark.slow
def test_openi_reports(tmp_path, real_annotations, capsys):
    found = {}
    with tarfile.open(real_annotations / "NLMCXR_reports.tgz") as archive:
        for member in archive:
            if member.name.endswith(".xml"):
                content = archive.extractfile(member).read()
                tree = ElementTree.fromstring(content)
                terms = {(m.text or "").split("/")[0].lower() for m in tree.iter("major")}
                names = [i.get("id") for i in tree.iter("parentImage")]
                if names:
                    found[Path(member.name).name] = content, "cardiomegaly" in terms, names, tree
    large, other = ([n for n, (_, is_large, *_) in found.items() if is_large == wanted] for wanted in (1, 0))
    twins = {}
    for number, name in enumerate([*spread(large, COUNT // 2), *spread(other, COUNT // 2)]):
        content, is_large, images, _ = found[name]
        (tmp_path / "ecgen-radiology").mkdir(exist_ok=True)
        (tmp_path / "ecgen-radiology" / name).write_bytes(content)
        twin = with_findings(number, (Finding(*KINDS["Cardiomegaly"], 0.7, number),) if is_large else ())
        for image in images:
            twins[image] = twin
            (tmp_path / "NLMCXR_png").mkdir(exist_ok=True)
            Image.fromarray(twin.ill).save(tmp_path / f"NLMCXR_png/{image}.png")
    data = openi.read(tmp_path, labels=["cardiomegaly"])
    assert len(data) + sum(data.dropped.values()) == len(twins)
    for row, name in enumerate(data.table["id"]):
        np.testing.assert_array_equal(read_image(data.path(row)), twins[name].ill)
        assert bool(twins[name].difference().any()) == bool(data.table["cardiomegaly"].iat[row])
        *_, tree = found[data.table["study_id"].iat[row].removeprefix("CXR") + ".xml"]
        parts = {a.get("Label"): a.text or "" for a in tree.iter("AbstractText")}
        assert letters(" ".join(data.table["report"].iat[row])) == letters(
            parts["FINDINGS"] + parts["IMPRESSION"]
        )
    out = sound(capsys, f"openi@{tmp_path}", "--set", "labels=cardiomegaly")
    assert "sentences a report" in out and "words a report" in out
