"""Every reader's layouts in miniature, with what can be taken from them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dense_miniatures
import miniatures
import numpy as np
import padchest_miniature
import tuberculosis_miniatures
from writers import write_image, write_text

Damage = Callable[[Path], object]
"""Something that goes wrong with a folder or file."""


@dataclass(frozen=True)
class Layout:
    """A reader's layout in miniature.

    Attributes:
        kind: registered reader.
        make: writes the miniature.
        images: glob pattern of the images that it needs.
        tables: annotation file to a column of it, or "" where it has none.
        asked: how an absent file is named in the message, where not by its name.
        options: of the reader.
        split: rule.
        file: what is opened, below the folder.
    """

    kind: str
    make: Callable[[Path], Any]
    images: str
    tables: dict[str, str]
    asked: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    split: str = "default"
    file: str = ""

    def reference(self, root: Path) -> dict[str, Any]:
        return {"type": self.kind, "root": str(root / self.file), **self.options}


def own_csv(root: Path) -> Path:
    for n in range(10):
        write_image(root / f"images/{n}.png")
    write_text(root / "own.csv", "\n".join(["image,y", *(f"images/{n}.png,{n % 2}" for n in range(10))]))
    return root


def prior_list(root: Path) -> Path:
    entries = {n: (f"train/patient{n:05d}/study1/view1_frontal.jpg", n % 5) for n in range(3, 9)}
    content = {
        str(n): {"image_path": image, "label": [float(k == finding) for k in range(5)]}
        for n, (image, finding) in entries.items()
    }
    write_text(miniatures.chexpert(root) / "chexpert_5x200.json", json.dumps(content))
    return root


MIMIC_TABLES = {
    "mimic-cxr-2.0.0-metadata.csv.gz": "ViewPosition",
    "mimic-cxr-2.0.0-split.csv.gz": "split",
    "mimic-cxr-2.0.0-chexpert.csv.gz": "Edema",
}
MIMIC_ASKED = {name: f"mimic-cxr-2.*-{name[16:-3]}" for name in MIMIC_TABLES}
MS_CXR = "ms_cxr/MS_CXR_Local_Alignment_v1.0.0.json"
MS_CXR_TABLE = "ms_cxr/MS_CXR_Local_Alignment_v1.1.0.csv"
MS_CXR_ASKED = "MS_CXR_Local_Alignment_v*.json or MS_CXR_Local_Alignment_v*.csv"
NIH_LISTS = {"train_val_list.txt": "", "test_list.txt": ""}
LAYOUTS = {
    "mimic_cxr": Layout("mimic_cxr", miniatures.mimic_cxr, "files/*/*/*/*.jpg", MIMIC_TABLES, MIMIC_ASKED),
    "mimic_5x200": Layout(
        "mimic_5x200",
        miniatures.mimic_5x200,
        "files/*/*/*/*.jpg",
        {**MIMIC_TABLES, "mimic_5x200_ids.csv": "dicom_id"},
        MIMIC_ASKED,
    ),
    "ms_cxr": Layout(
        "ms_cxr",
        miniatures.ms_cxr,
        "files/*/*/*/*.jpg",
        {MS_CXR: "", "mimic-cxr-2.0.0-split.csv.gz": "split"},
        {MS_CXR: MS_CXR_ASKED, **MIMIC_ASKED},
    ),
    "ms_cxr as CSV": Layout(
        "ms_cxr",
        miniatures.ms_cxr_table,
        "files/*/*/*/*.jpg",
        {MS_CXR_TABLE: "label_text"},
        {MS_CXR_TABLE: MS_CXR_ASKED},
        split="biovil",
    ),
    "openi": Layout("openi", miniatures.openi_archive, "NLMCXR_png/*.png", {"NLMCXR_reports.tgz": ""}),
    "openi of Kaggle": Layout(
        "openi",
        miniatures.openi_kaggle,
        "images/*/*.png",
        {"indiana_reports.csv": "findings", "indiana_projections.csv": "filename"},
        {"indiana_reports.csv": "NLMCXR_reports.tgz"},  # nothing tells that it is this re-pack
    ),
    "openi of R2Gen": Layout(
        "openi",
        miniatures.openi_r2gen,
        "images/*/*.png",
        {"annotation.json": ""},
        {"annotation.json": "NLMCXR_reports.tgz"},
    ),
    "chexpert": Layout(
        "chexpert", miniatures.chexpert, "*/*/*/*_frontal.jpg", {"train.csv": "Edema", "valid.csv": "Path"}
    ),
    "chexpert_5x200": Layout(
        "chexpert_5x200",
        miniatures.chexpert,
        "train/*/*/*_frontal.jpg",
        {"train.csv": "Pleural Effusion"},
        options={"per_class": 4},
    ),
    "chexpert_5x200 of PRIOR": Layout(
        "chexpert_5x200",
        prior_list,
        "train/*/*/*_frontal.jpg",
        {"chexpert_5x200.json": ""},
        split="prior_list",
    ),
    "rsna_pneumonia": Layout(
        "rsna_pneumonia",
        dense_miniatures.rsna_pneumonia,
        "stage_2_train_images/*.dcm",
        {"stage_2_train_labels.csv": "patientId"},
    ),
    "siim_acr": Layout(
        "siim_acr",
        dense_miniatures.siim_acr,
        "dicom-images-train/*/*/*.dcm",
        {"train-rle.csv": "EncodedPixels"},
    ),
    "siim_acr as PNG": Layout(
        "siim_acr",
        dense_miniatures.siim_acr_png,
        "png_images/*.png",
        {"stage_1_train_images.csv": "ImageId", "stage_1_test_images.csv": "new_filename"},
        {"stage_1_train_images.csv": "train-rle.csv"},  # without it, the original is looked for
    ),
    "covidx": Layout(
        "covidx",
        miniatures.covidx,
        "train/*.png",
        {"train_COVIDx9A.txt": "", "test_COVIDx9A.txt": ""},
        {"train_COVIDx9A.txt": "train*.txt", "test_COVIDx9A.txt": "test*.txt"},
    ),
    "covidx CXR-4": Layout(
        "covidx", miniatures.covidx_binary, "*/*.png", {"train.txt": ""}, {"train.txt": "train*.txt"}
    ),
    "object_cxr": Layout(
        "object_cxr",
        dense_miniatures.object_cxr,
        "*/*.jpg",
        {"train.csv": "annotation", "dev.csv": "annotation"},
    ),
    "nih_chestxray14": Layout(
        "nih_chestxray14",
        dense_miniatures.nih_chestxray14,
        "images_*/images/*.png",
        {"Data_Entry_2017.csv": "Finding Labels", **NIH_LISTS},
        {"Data_Entry_2017.csv": "Data_Entry_2017*.csv"},
    ),
    "nih_chestxray14 with boxes": Layout(
        "nih_chestxray14",
        dense_miniatures.nih_chestxray14,
        "images_*/images/0000000[13]_00*.png",
        {"BBox_List_2017.csv": "Finding Label"},
        options={"boxes": True},
        split="boxes_by_patient",
    ),
    "chestxdet10": Layout(
        "chestxdet10",
        dense_miniatures.chestxdet10,
        "*_data/*.png",
        {"train.json": "", "test.json": ""},
    ),
    "padchest_gr": Layout(
        "padchest_gr",
        dense_miniatures.padchest_gr,
        "Padchest_GR_files/*/*.png",
        {"grounded_reports_20240819.json": "", "master_table.csv": "label_group"},
        {"grounded_reports_20240819.json": "grounded_reports_*.json"},
    ),
    "vindr_cxr of Kaggle": Layout(
        "vindr_cxr", dense_miniatures.vindr_kaggle, "train/*.dicom", {"train.csv": "rad_id"}
    ),
    "vindr_cxr of PhysioNet": Layout(
        "vindr_cxr",
        dense_miniatures.vindr_physionet,
        "*/*.dicom",
        {
            "annotations/image_labels_train.csv": "image_id",
            "annotations/image_labels_test.csv": "image_id",
            "annotations/annotations_train.csv": "class_name",
            "annotations/annotations_test.csv": "x_max",
        },
        {"annotations/image_labels_train.csv": "train.csv"},  # without it, Kaggle's table is looked for
    ),
    "padchest": Layout(
        "padchest",
        padchest_miniature.padchest,
        "*/*.png",
        {padchest_miniature.PADCHEST_TABLE: "MethodLabel"},
        {padchest_miniature.PADCHEST_TABLE: "PADCHEST_chest_x_ray_images_labels_160K_*.csv"},
    ),
    "vindr_pcxr": Layout(
        "vindr_pcxr",
        dense_miniatures.vindr_pcxr,
        "*/*.dicom",
        {
            "image_labels_train.csv": "image_id",
            "image_labels_test.csv": "image_id",
            "annotations_train.csv": "class_name",
            "annotations_test.csv": "x_max",
        },
    ),
    "chexlocalize": Layout(
        "chexlocalize",
        dense_miniatures.chexlocalize,
        "CheXpert/*/*/*/*.jpg",
        {
            "CheXpert/val_labels.csv": "Edema",
            "CheXpert/test_labels.csv": "Path",
            "CheXlocalize/gt_segmentations_val.json": "",
            "CheXlocalize/gt_segmentations_test.json": "",
        },
    ),
    "montgomery": Layout("montgomery", tuberculosis_miniatures.montgomery, "CXR_png/*.png", {}),
    "shenzhen": Layout("shenzhen", tuberculosis_miniatures.shenzhen, "CXR_png/*.png", {}),
    "tbx11k": Layout(
        "tbx11k",
        tuberculosis_miniatures.tbx11k,
        "imgs/*/*.png",
        {"annotations/json/TBX11K_train.json": "", "annotations/json/TBX11K_val.json": ""},
    ),
    "medmnist": Layout(
        "medmnist",
        lambda root: np.savez_compressed(root / "chestmnist.npz", **miniatures.medmnist_arrays(14, 28)),
        "",
        {"chestmnist.npz": ""},
        {"chestmnist.npz": "chestmnist_224.npz"},
    ),
    "csv": Layout(
        "csv", own_csv, "images/*.png", {"own.csv": "image"}, {"own.csv": "own.csv"}, file="own.csv"
    ),
}
