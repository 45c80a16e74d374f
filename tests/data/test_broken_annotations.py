"""Annotations that are there, but not as they should be: the message names file, line and fix.

What happens to whole files is in ``test_broken_downloads.py``.
"""

import zipfile
from pathlib import Path

import miniatures
import numpy as np
import pytest
from layouts import LAYOUTS, Damage
from refusing import refused
from writers import write_text

from prior_bench.data.open import open_dataset
from prior_bench.data.readers.chexpert.labels import FIVE


def edited(file: str, old: str, new: str) -> Damage:
    def edit(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text
        (root / file).write_text(text.replace(old, new, 1))

    return edit


def damaged_report(root: Path) -> None:
    """A zip file whole at its end, with a report in it that was not copied right."""
    place = root / "mimic-cxr-reports.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for path in sorted(root.rglob("*.txt")):
            archive.write(path, path.relative_to(root))
            path.unlink()
    broken = bytearray(place.read_bytes())
    broken[broken.index(b"The heart is normal")] ^= 1
    place.write_bytes(broken)


def login_page(root: Path) -> None:
    write_text(root / "mimic-cxr-reports.zip", "<html>log in</html>")


def fewer_columns(root: Path) -> None:
    path = "CheXpert-v1.0-small/valid/patient64541/study1/view1_frontal.jpg"
    write_text(root / "valid.csv", f"Path,{','.join(FIVE[1:])}\n{path},0,0,1,0\n")


def arrays(**changes) -> Damage:
    def write(root: Path) -> None:
        whole = miniatures.medmnist_arrays(14, 28)
        kept = {**whole, **{name: change(whole) for name, change in changes.items()}}
        np.savez_compressed(
            root / "chestmnist.npz", **{name: array for name, array in kept.items() if array is not None}
        )

    return write


LABELS = "stage_2_train_labels.csv"
OTHER_DAMAGES = [
    ("mimic_cxr", damaged_report, r"mimic-cxr-reports\.zip: files/p10/.*\.txt in it is damaged"),
    ("mimic_cxr", login_page, r"mimic-cxr-reports\.zip: is a web page"),
    ("mimic_cxr", lambda root: [p.unlink() for p in root.rglob("s*.txt")], r"no usable report for any of 4"),
    ("chexpert", fewer_columns, "valid.csv: column 'Atelectasis' missing"),
    ("chexpert", edited("train.csv", ",1.0,", ",maybe,"), "label '.*' is 'maybe'; allowed are 1, 0, -1"),
    ("chexpert", edited("train.csv", "CheXpert-v1.0-small/", ""), "is not a path like CheXpert-v1.0/train/"),
    ("chexpert_5x200 of PRIOR", edited("chexpert_5x200.json", "image_path", "path"), "json: not of the form"),
    (
        "rsna_pneumonia",
        edited(LABELS, "8.0,8.0,4.0,8.0,1", ",,,,1"),
        r"labels\.csv: image 'id-19' has Target 1",
    ),
    ("rsna_pneumonia", edited(LABELS, ",,,,,0", ",,,,,"), r"labels\.csv: image 'id-18' has Target 'nan'"),
    ("siim_acr", edited("train-rle.csv", "0 3 5 2", "0 3 5"), r"train-rle\.csv, line 2: .* odd count"),
    (
        "siim_acr",
        edited("train-rle.csv", "0 3 5 2", "0 3 5 -2"),
        r"train-rle\.csv, line 2: .* negative number",
    ),
    ("siim_acr", edited("train-rle.csv", "60 4", "60 four"), r"line 3: .*'60 four' contains something other"),
    (
        "covidx",
        edited("test_COVIDx9A.txt", "normal", "healthy"),
        r"test_COVIDx9A\.txt, line 1: .* is not 'patient",
    ),
    ("covidx", edited("test_COVIDx9A.txt", "normal", "negative"), "lists mix versions"),
    ("object_cxr", edited("dev.csv", "0 1 2 5 6;", "0 1 2 5;"), r"dev\.csv, line 2: object '0 1 2 5' is not"),
    ("object_cxr", edited("dev.csv", "00021.jpg", ""), r"dev\.csv, line 2: 'image_name' is blank"),
    ("nih_chestxray14", edited("test_list.txt", "00000009_001.png", ""), r"1 images are in neither list"),
    ("nih_chestxray14", edited("Data_Entry_2017.csv", "|Mass", "|Mess"), r"unknown finding 'Mess'"),
    (
        "nih_chestxray14 with boxes",
        edited("BBox_List_2017.csv", "5.5,5,2,2", "5.5,5,0,2"),
        r"csv, line 3: box",
    ),
    (
        "vindr_cxr of Kaggle",
        edited("train.csv", "1,2,5,6", "5,2,1,6"),
        r"train\.csv, line 2: box of image 'i00'",
    ),
    (
        "vindr_cxr of PhysioNet",
        edited("annotations/image_labels_test.csv", "test0,0", "test0,7"),
        r"image_labels_test\.csv, line 2: a label is neither 0 nor 1",
    ),
    (
        "openi of R2Gen",
        edited("annotation.json", "image_path", "images"),
        r"annotation\.json: not of the form",
    ),
    ("openi of Kaggle", edited("indiana_projections.csv", "\n1,", "\n77,"), "1 images have no report"),
    ("medmnist", arrays(val_labels=lambda whole: None), r"chestmnist\.npz: contains no array 'val_labels'"),
    ("medmnist", arrays(test_labels=lambda w: w["test_labels"][:, :3]), r"'test_labels' is \(6, 3\) for 6"),
    ("medmnist", arrays(train_images=lambda w: w["train_images"] / 2), "array 'train_images' is float64"),
    (
        "csv",
        edited("own.csv", "images/3.png,1", "images/2.png,1"),
        "line 5: id 'images/2.png' occurs a second",
    ),
    ("csv", edited("own.csv", "images/3.png,1", ",1"), r"own\.csv, line 5: 'image' is blank"),
]


@pytest.mark.parametrize(("name", "damage", "words"), OTHER_DAMAGES)
def test_other_damages(name, damage, words, download):
    LAYOUTS[name].make(download)
    damage(download)
    refused(LAYOUTS[name], download, words)


def test_valid_csv_with_fewer_columns_is_enough_where_these_are_not_asked_for(download):
    fewer_columns(miniatures.chexpert(download))
    data = open_dataset({"type": "chexpert", "root": str(download), "labels": ["Edema", "Consolidation"]})
    assert data.split("test").targets().tolist() == [[1, 0]]
