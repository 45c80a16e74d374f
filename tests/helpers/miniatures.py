"""Each data set in miniature: the layout as downloaded, a few images, nothing left out.

Every function writes below a folder and returns it. Images are 8 x 8 or 16 x 16.
"""

import json
import tarfile
from pathlib import Path

import numpy as np
from writers import write_image, write_text

from prior_bench.data.readers.chexpert.labels import FIVE, FOURTEEN

# --- with reports ---

MIMIC_IMAGES = [  # subject, study, dicom, view, official split
    ("10000032", "50414267", "02aa804e", "PA", "train"),
    ("10000032", "50414267", "174413ec", "LATERAL", "train"),
    ("10000032", "53189527", "2a2277a9", "AP", "train"),
    ("10000935", "50578979", "d0b71acc", "AP", "validate"),
    ("11000011", "51967845", "e5a6e6a7", "PA", "test"),
    ("11000011", "51967845", "f0000001", "AP", "test"),
    ("11000022", "51967999", "a0000002", "", "train"),
]
MIMIC_REPORT = """                                 FINAL REPORT
 FINDINGS:  The heart is normal. {}

 IMPRESSION:  1. No acute process. 2. Stable.
"""


def mimic_cxr(root: Path) -> Path:
    """Five patients; one lateral image, one of no known view; reports as unpacked text files."""
    metadata = ["dicom_id,subject_id,study_id,ViewPosition,Rows"]
    split = ["dicom_id,study_id,subject_id,split"]
    for subject, study, dicom, view, official in MIMIC_IMAGES:
        folder = root / "files" / f"p{subject[:2]}" / f"p{subject}"
        write_image(folder / f"s{study}" / f"{dicom}.jpg")
        write_text(folder / f"s{study}.txt", MIMIC_REPORT.format(f"Study {study}."))
        metadata.append(f"{dicom},{subject},{study},{view},8")
        split.append(f"{dicom},{study},{subject},{official}")
    write_text(root / "mimic-cxr-2.0.0-metadata.csv.gz", "\n".join(metadata))
    write_text(root / "mimic-cxr-2.0.0-split.csv.gz", "\n".join(split))
    write_text(
        root / "mimic-cxr-2.0.0-chexpert.csv.gz",
        "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Pleural Effusion\n"
        "10000032,50414267,1.0,,0.0,-1.0,\n10000032,53189527,,-1.0,,,1.0\n11000011,51967845,,,,,\n",
    )
    return root


MS_CXR_BOXES = [
    # image, finding, phrase, box (x, y, width, height)
    (0, "Pneumonia", "Opacity in the left lower lobe", (1, 2, 3, 4)),
    (0, "Pneumonia", "Opacity in the left lower lobe", (5, 5, 2, 3)),
    (0, "Edema", "mild pulmonary edema", (0, 0, 8, 4)),
    (1, "Edema", "mild pulmonary edema", (2, 2, 4, 4)),
    (2, "Cardiomegaly", "The heart is enlarged", (3, 4, 4, 3)),
]
"""Phrases of three frontal images of :data:`MIMIC_IMAGES`, whose official splits differ."""
MS_CXR_ROWS = (0, 3, 4)


def ms_cxr(root: Path) -> Path:
    """The miniature of MIMIC-CXR with the JSON of MS-CXR; the last phrase has an outline too."""
    mimic_cxr(root)
    findings = sorted({finding for _, finding, _, _ in MS_CXR_BOXES})
    images = [
        {
            "id": n,
            "file_name": f"{dicom}.jpg",
            "width": 8,
            "height": 8,
            "path": _mimic_path(subject, study, dicom),
        }
        for n, (subject, study, dicom, _, _) in enumerate(MIMIC_IMAGES[row] for row in MS_CXR_ROWS)
    ]
    annotations = [
        {
            "id": n,
            "image_id": i,
            "category_id": findings.index(finding),
            "bbox": list(box),
            "label_text": phrase,
        }
        for n, (i, finding, phrase, box) in enumerate(MS_CXR_BOXES)
    ]
    annotations[-1]["segmentation"] = {"size": [8, 8], "counts": [28, 3, 5, 3, 25]}
    content = {
        "info": {},
        "licenses": [],
        "categories": [{"id": n, "name": name} for n, name in enumerate(findings)],
        "images": images,
        "annotations": annotations,
    }
    write_text(root / "ms_cxr/MS_CXR_Local_Alignment_v1.0.0.json", json.dumps(content))
    return root


def ms_cxr_table(root: Path) -> Path:
    """The same as the CSV of version 1.1.0, with its own split."""
    mimic_cxr(root)
    lines = ["dicom_id,category_name,label_text,path,x,y,w,h,image_width,image_height,split"]
    for i, finding, phrase, box in MS_CXR_BOXES:
        subject, study, dicom, _, _ = MIMIC_IMAGES[MS_CXR_ROWS[i]]
        sides, path = ",".join(map(str, box)), _mimic_path(subject, study, dicom)
        lines.append(f"{dicom},{finding},{phrase},{path},{sides},8,8,{('test', 'val', 'train')[i]}")
    write_text(root / "ms_cxr/MS_CXR_Local_Alignment_v1.1.0.csv", "\n".join(lines))
    return root


def _mimic_path(subject: str, study: str, dicom: str) -> str:
    return f"files/p{subject[:2]}/p{subject}/s{study}/{dicom}.jpg"


def mimic_5x200(root: Path) -> Path:
    """Two images of each finding; one further image that is not listed."""
    metadata, split = ["dicom_id,subject_id,study_id,ViewPosition"], ["dicom_id,study_id,subject_id,split"]
    labels, listed = [f"subject_id,study_id,{','.join(FIVE)}"], ["Path,dicom_id,subject_id,study_id,Report"]
    for n in range(11):
        patient, study, image, finding = f"100000{n:02d}", f"5000000{n:02d}", f"d{n:02d}", FIVE[n % 5]
        metadata.append(f"{image},{patient},{study},AP")
        split.append(f"{image},{study},{patient},train")
        labels.append(f"{patient},{study},{','.join('1.0' if name == finding else '' for name in FIVE)}")
        if n < 10:
            listed.append(f"path/of/images,{image},{patient},{study},Associated Report Goes Here.")
        folder = root / f"files/p10/p{patient}"
        write_image(folder / f"s{study}/{image}.jpg")
        report = f" FINDINGS:  There is some {finding.lower()}.\n\n IMPRESSION:  {finding}.\n"
        write_text(folder / f"s{study}.txt", report)
    write_text(root / "mimic-cxr-2.0.0-metadata.csv.gz", "\n".join(metadata))
    write_text(root / "mimic-cxr-2.0.0-split.csv.gz", "\n".join(split))
    write_text(root / "mimic-cxr-2.0.0-chexpert.csv.gz", "\n".join(labels))
    write_text(root / "mimic_5x200_ids.csv", "\n".join(listed))
    return root


OPENI_XML = """<?xml version="1.0" encoding="utf-8"?>
<eCitation><uId id="CXR{n}"/><MedlineCitation><Article><Abstract>
<AbstractText Label="COMPARISON">None.</AbstractText>
<AbstractText Label="FINDINGS">{findings}</AbstractText>
<AbstractText Label="IMPRESSION">{impression}</AbstractText>
</Abstract></Article></MedlineCitation>
<MeSH><major>{term}/mild</major></MeSH>
{images}</eCitation>"""


def openi(root: Path) -> Path:
    """Ten reports with two images each, one of which says nothing, and one without an image; unpacked XML."""
    for n in range(1, 12):
        names = [f"CXR{n}_IM-{n:04d}-{view}001" for view in (1, 2) if n != 11]
        findings, impression = "The heart is normal in size. Lungs are clear of XXXX.", "No acute disease."
        content = OPENI_XML.format(
            n=n,
            findings="" if n == 10 else findings,
            impression="" if n == 10 else impression,
            term="normal" if n % 2 else "Cardiomegaly",
            images="".join(f'<parentImage id="{name}"/>' for name in names),
        )
        write_text(root / f"ecgen-radiology/{n}.xml", content)
        for name in names:
            write_image(root / f"NLMCXR_png/{name}.png")
    return root


def openi_archive(root: Path) -> Path:
    """The same with the reports packed, as downloaded."""
    openi(root)
    with tarfile.open(root / "NLMCXR_reports.tgz", "w:gz") as archive:
        archive.add(root / "ecgen-radiology", "ecgen-radiology")
    for file in (root / "ecgen-radiology").iterdir():
        file.unlink()
    (root / "ecgen-radiology").rmdir()
    return root


def openi_kaggle(root: Path) -> Path:
    """Kaggle's re-pack: ten reports, the first without prose, a frontal and a lateral image each."""
    reports = ["uid,MeSH,Problems,image,indication,comparison,findings,impression"]
    images = ["uid,filename,projection"]
    for n in range(1, 11):
        findings = "" if n == 1 else '"The heart, as before, is large."'
        impression = "" if n == 1 else "No change."
        reports.append(
            f"{n},Cardiomegaly/mild;Lung/base,Cardiomegaly,Xray,Cough,None,{findings},{impression}"
        )
        for view, projection in ((1, "Frontal"), (2, "Lateral")):
            images.append(f"{n},{n}_IM-{n:04d}-{view}001.dcm.png,{projection}")
            write_image(root / f"images/images_normalized/{n}_IM-{n:04d}-{view}001.dcm.png")
    write_text(root / "indiana_reports.csv", "\n".join(reports))
    write_text(root / "indiana_projections.csv", "\n".join(images))
    return root


def openi_r2gen(root: Path) -> Path:
    """R2Gen's re-pack: four, one and one reports with two images each."""
    parts = {"train": [], "val": [], "test": []}
    for n, part in enumerate(["train"] * 4 + ["val", "test"]):
        images = [f"CXR{n}_IM-{n:04d}/{view}.png" for view in (0, 1)]
        for image in images:
            write_image(root / "images" / image)
        entry = {"id": f"CXR{n}_IM-{n:04d}", "report": "Lungs are clear. No effusion.", "image_path": images}
        parts[part].append({**entry, "split": part})
    write_text(root / "annotation.json", json.dumps(parts))
    return root


# --- with labels ---

CHEXPERT_HEADER = "Path,Sex,Age,Frontal/Lateral,AP/PA," + ",".join(FOURTEEN)


def chexpert_line(path: str, view: str = "AP", **values: str) -> str:
    """A line of CheXpert's tables; values by observation, ``_`` for a blank in its name."""
    frontal = "Frontal" if "frontal" in path else "Lateral"
    cells = [str(values.get(name.replace(" ", "_"), "")) for name in FOURTEEN]
    return ",".join([path, "Female", "60", frontal, view if frontal == "Frontal" else "", *cells])


def chexpert(root: Path, prefix: str = "CheXpert-v1.0-small") -> Path:
    """Four patients for each finding, two lateral images, two patients in valid.csv."""
    train, valid = [CHEXPERT_HEADER], [CHEXPERT_HEADER]
    for patient in range(1, 21):
        name = f"train/patient{patient:05d}/study1"
        values = {FIVE[patient % 5].replace(" ", "_"): "1.0"}
        views = ["view1_frontal.jpg"] + ["view2_lateral.jpg"] * (patient <= 2)
        for view in views:
            absent = {"Pneumonia": "0.0"} if "frontal" in view else {}
            train.append(chexpert_line(f"{prefix}/{name}/{view}", **values, **absent))
            write_image(root / name / view)
    zeros = {name.replace(" ", "_"): "0.0" for name in FOURTEEN}
    for patient in (64541, 64542):
        name = f"valid/patient{patient}/study1/view1_frontal.jpg"
        valid.append(chexpert_line(f"{prefix}/{name}", "PA", **zeros))
        write_image(root / name)
    write_text(root / "train.csv", "\n".join(train))
    write_text(root / "valid.csv", "\n".join(valid))
    return root


COVIDX_THREE = ("normal", "pneumonia", "COVID-19")


def covidx(root: Path) -> Path:
    """Version 9A: 40 and 6 images, two a patient, a blank in their names."""
    lists = [("train_COVIDx9A.txt", "train", 40), ("test_COVIDx9A.txt", "test", 6)]
    return covidx_of(root, lists, COVIDX_THREE)


def covidx_binary(root: Path) -> Path:
    """CXR-4: 20, 6 and 8 images."""
    lists = [(f"{part}.txt", part, count) for part, count in (("train", 20), ("val", 6), ("test", 8))]
    return covidx_of(root, lists, ("negative", "positive"))


def covidx_of(root: Path, lists: list[tuple[str, str, int]], classes: tuple[str, ...]) -> Path:
    """Lists by their name, part and length, two images a patient, with the classes in turn."""
    for name, part, count in lists:
        numbers = range(count)
        lines = [f"{n // 2} {part} {n}.png {classes[n // 2 % len(classes)]} cohen" for n in numbers]
        for n in numbers:
            write_image(root / f"{part}/{part} {n}.png")
        write_text(root / name, "\n".join(lines) + "\n")
    return root


MEDMNIST_COUNTS = {"train": 12, "val": 4, "test": 6}


def medmnist_arrays(labels: int, size: int, seed: int = 0) -> dict[str, np.ndarray]:
    """The six arrays of a file."""
    rng, content = np.random.default_rng(seed), {}
    for part, count in MEDMNIST_COUNTS.items():
        values = np.arange(count * labels).reshape(count, labels) % 3 == 0
        content[f"{part}_images"] = rng.integers(0, 255, (count, size, size), dtype=np.uint8)
        content[f"{part}_labels"] = values.astype(np.uint8)
    return content


def medmnist(root: Path) -> Path:
    """ChestMNIST at 28 and at 64 pixels."""
    np.savez_compressed(root / "chestmnist.npz", **medmnist_arrays(14, 28))
    np.savez_compressed(root / "chestmnist_64.npz", **medmnist_arrays(14, 64))
    return root
