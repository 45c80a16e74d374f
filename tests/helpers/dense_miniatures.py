"""The data sets with boxes or masks in miniature; see ``miniatures``."""

import json
from pathlib import Path

import numpy as np
from writers import write_dicom, write_image, write_png, write_text

from prior_bench.data.readers.chexpert.labels import FOURTEEN

RSNA_HEADER = "patientId,x,y,width,height,Target"
NIH_HEADER = "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
NIH_BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
SIIM_HEADERS = ("ImageId, EncodedPixels", "ImageId,EncodedPixels")
OBJECT_SHAPES = "0 1 2 5 6;1 8 8 14 12;2 1 10 6 10 1 15"
VINDR_HEADER = "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max"
VINDR_FINDINGS = ("Cardiomegaly", "Mass", "No finding")


def rsna_pneumonia(root: Path) -> Path:
    """Twenty images in an unsorted table, every fourth with two boxes."""
    lines = [RSNA_HEADER]
    for number in range(20):
        name = f"id-{19 - number:02d}"
        write_dicom(root / f"stage_2_train_images/{name}.dcm", np.full((16, 16), 9, np.uint8))
        if number % 4 == 0:
            lines += [f"{name},1.0,2.0,3.0,4.0,1", f"{name},8.0,8.0,4.0,8.0,1"]
        else:
            lines.append(f"{name},,,,,0")
    write_text(root / "stage_2_train_labels.csv", "\n".join(lines))
    return root


def siim_acr(root: Path, header: str = SIIM_HEADERS[0], negative: str = " -1") -> Path:
    """Twenty images, every fourth with a mask in two rows."""
    lines = [header]
    for number in range(20):
        image = f"1.2.276.{number}"
        place = root / f"dicom-images-train/1.2.1.{number}/1.2.2.{number}/{image}.dcm"
        write_dicom(place, np.full((8, 8), 9, np.uint8))
        if number % 4 == 0:
            lines += [f"{image}, 0 3 5 2", f"{image}, 60 4"]
        else:
            lines.append(f"{image},{negative}")
    write_text(root / "train-rle.csv", "\n".join(lines))
    return root


def siim_acr_png(root: Path) -> Path:
    """The PNG re-pack: 16 and 4 images, every fourth with a mask of 9 pixels."""
    for part, numbers in (("train", range(16)), ("test", range(16, 20))):
        lines = ["new_filename,ImageId,has_pneumo"]
        for n in numbers:
            positive = int(n % 4 == 0)
            name = f"{n - numbers[0]}_{part}_{positive}_.png"
            write_image(root / f"png_images/{name}")
            mask = np.zeros((8, 8), np.uint8)
            mask[2:5, 1:4] = 255 * positive
            write_png(root / f"png_masks/{name}", mask)
            lines.append(f"{name},1.2.276.{n},{positive}")
        write_text(root / f"stage_1_{part}_images.csv", "\n".join(lines))
    return root


def nih_chestxray14(root: Path) -> Path:
    """Ten patients with two images each, the last two patients in the test list; boxes on two images."""
    lines, train, test = [NIH_HEADER], [], []
    for patient in range(10):
        for follow in range(2):
            name = f"{patient:08d}_{follow:03d}.png"
            finding = "Infiltration|Mass" if patient % 2 else "No Finding"
            lines.append(f"{name},{finding},{follow},{patient},57,M,{'AP' if follow else 'PA'}")
            (test if patient >= 8 else train).append(name)
            write_image(root / f"images_00{follow + 1}/images/{name}")
    write_text(root / "Data_Entry_2017.csv", "\n".join(lines))
    write_text(root / "train_val_list.txt", "\n".join(train))
    write_text(root / "test_list.txt", "\n".join(test))
    boxes = ["00000001_000.png,Infiltrate,1,2,3,4", "00000001_000.png,Mass,5.5,5,2,2"]
    write_text(
        root / "BBox_List_2017.csv", "\n".join([NIH_BOX_HEADER, *boxes, "00000003_001.png,Mass,0,0,4,4"])
    )
    return root


def object_cxr(
    root: Path,
    parts: tuple[tuple[str, int], ...] = (("train", 20), ("dev", 4)),
    column: str = "image_name",
    folder: str = "",
) -> Path:
    """Every second image with a rectangle, an ellipse and a polygon."""
    number = 0
    for part, count in parts:
        lines = [f"{column},annotation"]
        for _ in range(count):
            number += 1
            lines.append(f"{folder}{number:05d}.jpg,{OBJECT_SHAPES if number % 2 else ''}")
            write_image(root / f"{part}/{number:05d}.jpg")
        write_text(root / f"{part}.csv", "\n".join(lines))
    return root


def vindr_kaggle(root: Path) -> Path:
    """Twenty images; two readers of three see a mass on every second, one an atelectasis on the first."""
    lines = [VINDR_HEADER]
    for n in range(20):
        for reader in range(3):
            if n % 2 == 0 and reader < 2:
                lines.append(f"i{n:02d},Mass,8,R{reader},{1 + reader},2,{5 + reader},6")
            else:
                lines.append(f"i{n:02d},No finding,14,R{reader},,,,")
        write_dicom(root / f"train/i{n:02d}.dicom", np.full((16, 16), 9, np.uint8))
    lines.append("i00,Atelectasis,1,R2,8,8,12,12")
    write_text(root / "train.csv", "\n".join(lines))
    return root


def vindr_physionet(root: Path) -> Path:
    """Ten images of three readers, four of a consensus, every second with a large heart."""
    rows = {"train": [], "test": []}
    boxes = {"train": ["image_id,rad_id,class_name,x_min,y_min,x_max,y_max"]}
    boxes["test"] = ["image_id,class_name,x_min,y_min,x_max,y_max"]
    for part, count in (("train", 10), ("test", 4)):
        for n in range(count):
            image, seen = f"{part}{n}", n % 2
            write_dicom(root / f"{part}/{image}.dicom", np.full((16, 16), 9, np.uint8))
            for reader in ("R1", "R2", "R3") if part == "train" else ("",):
                cells = f"{seen},{int(seen and reader == 'R1')},{1 - seen}"
                rows[part].append(f"{image},{reader},{cells}" if reader else f"{image},{cells}")
                name = f"{reader}," if reader else ""
                box = "Cardiomegaly,1,1,9,9" if seen else "No finding,,,,"
                boxes[part].append(f"{image},{name}{box}")
        ids = "image_id,rad_id" if part == "train" else "image_id"
        labels = "\n".join([f"{ids},{','.join(VINDR_FINDINGS)}", *rows[part]])
        write_text(root / f"annotations/image_labels_{part}.csv", labels)
        write_text(root / f"annotations/annotations_{part}.csv", "\n".join(boxes[part]))
    return root


def chestxdet10(root: Path) -> Path:
    """Ten images to train on and four to test on; every third has none of the findings."""
    for part, first, count in (("train", 100, 10), ("test", 200, 4)):
        entries = []
        for n in range(first, first + count):
            write_image(root / f"{part}_data/{n}.png")
            findings = [] if n % 3 == 0 else ["Effusion", "Nodule", "Nodule"][: 1 + n % 2 * 2]
            boxes = [[1 + k, 2, 5 + k, 6] for k in range(len(findings))]
            entries.append({"file_name": f"{n}.png", "syms": findings, "boxes": boxes})
        write_text(root / f"{part}.json", json.dumps(entries))
    return root


PADCHEST_GR_HEADER = "StudyID,ImageID,label,boxes_count,sentence_en,split,PatientID,label_group"


def padchest_gr(root: Path) -> Path:
    """Five studies of four patients, one of them normal; images of 16 x 8 pixels."""
    folder, studies, lines = root / "Padchest_GR_files/PadChest_GR", [], [PADCHEST_GR_HEADER]
    for n, split in enumerate(("train", "train", "validation", "test", "test")):
        write_png(folder / f"image-{n}.png", np.arange(128, dtype=np.uint8).reshape(8, 16))
        findings = [
            {
                "sentence_en": "Right pleural effusion.",
                "sentence_es": "Derrame pleural derecho.",
                "abnormal": True,
                "boxes": [[0.0, 0.5, 0.25, 1.0]],
                "extra_boxes": [[0.0, 0.25, 0.25, 1.0]],
                "labels": ["pleural effusion"],
                "locations": ["right"],
                "progression": None,
            },
            {"sentence_en": "No nodules.", "sentence_es": "Sin nódulos.", "abnormal": False},
            {
                "sentence_en": "Kyphosis.",
                "sentence_es": "Cifosis.",
                "abnormal": True,
                "boxes": [],
                "labels": [],
            },
        ]
        studies.append(
            {"StudyID": f"s{n}", "ImageID": f"image-{n}.png", "findings": findings[1 if n == 1 else 0 :]}
        )
        label = "normal" if n == 1 else "pleural effusion"
        group = "" if n == 1 else "Effusion"
        lines.append(f"s{n},image-{n}.png,{label},1,Some sentence.,{split},p{n // 2 if n < 2 else n},{group}")
    write_text(root / "grounded_reports_20240819.json", json.dumps(studies))
    write_text(root / "master_table.csv", "\n".join(lines))
    return root


PCXR_DISEASES = (
    "No finding", "Bronchitis", "Brocho-pneumonia", "Other disease", "Bronchiolitis", "Pneumonia", "CPAM",
)  # fmt: skip


def vindr_pcxr(root: Path) -> Path:
    """Twenty and five images of one radiologist each; of four, one has two boxes of different findings."""
    for part, count in (("train", 20), ("test", 5)):
        labels = [f"image_id,rad_ID,{','.join(PCXR_DISEASES)}"]
        boxes = ["image_id,rad_ID,class_name,x_min,y_min,x_max,y_max"]
        for n in range(count):
            image = f"{part}{n:02d}"
            write_dicom(root / f"{part}/{image}.dicom", np.full((16, 16), 9, np.uint8))
            disease = (0, 1, 5, 2)[n % 4]
            labels.append(f"{image},R{n % 3},{','.join(str(int(k == disease)) for k in range(7))}")
            if n % 4 == 1:
                boxes.append(f"{image},R{n % 3},Reticulonodular opacity,1,2,5,6.5")
                boxes.append(f"{image},R{n % 3},Consolidation,3,2,9,{7 + n}")
            else:
                boxes.append(f"{image},R{n % 3},No finding,,,,")
        write_text(root / f"image_labels_{part}.csv", "\n".join(labels))
        write_text(root / f"annotations_{part}.csv", "\n".join(boxes))
    return root


CHEXLOCALIZE_FINDINGS = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Airspace Opacity", "Edema", "Consolidation",
    "Atelectasis", "Pneumothorax", "Pleural Effusion", "Support Devices",
)  # fmt: skip
"""The spelling of the segmentations, in their order."""


def run_length(mask: np.ndarray) -> dict:
    """COCO's compressed code of a mask, as it stands in JSON."""
    from pycocotools import mask as coco

    code = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(code["size"]), "counts": code["counts"].decode()}


def chexlocalize(root: Path) -> Path:
    """Ten patients to validate and six to test, the first two of each with a lateral image too.

    Of three patients, the first has no finding and no entry, the second an effusion (2 pixels and as many as
    its number in a part), the third an effusion and an opacity (9 pixels).
    """
    for part, first, count in (("val", 64541, 10), ("test", 64741, 6)):
        about = "Sex,Age,Frontal/Lateral,AP/PA," if part == "val" else ""
        lines, entries = [f"Path,{about}{','.join(FOURTEEN)}"], {}
        for n in range(count):
            for view in ("view1_frontal", "view2_lateral")[: 1 + (n < 2)]:
                key = f"patient{first + n}_study1_{view}"
                image = f"{key.replace('_', '/', 2)}.jpg"
                write_image(root / f"CheXpert/{part}/{image}")
                lateral = view.endswith("lateral")
                given = f"Male,{60 + n},{'Lateral,' if lateral else 'Frontal,PA'}," if part == "val" else ""
                of_findings = {"Pleural Effusion": n % 3 > 0, "Lung Opacity": n % 3 == 2}
                labels = ",".join(str(float(of_findings.get(name, False))) for name in FOURTEEN)
                prefix = "CheXpert-v1.0/valid" if part == "val" else "test"
                lines.append(f"{prefix}/{image},{given}{labels}")
                if n % 3:
                    masks = {name: np.zeros((8, 8), bool) for name in CHEXLOCALIZE_FINDINGS}
                    masks["Pleural Effusion"].T.flat[10 : 12 + n] = True
                    masks["Airspace Opacity"][1:4, 2:5] = n % 3 == 2
                    entries[key] = {name: run_length(mask) for name, mask in masks.items()}
        write_text(root / f"CheXpert/{part}_labels.csv", "\n".join(lines))
        write_text(root / f"CheXlocalize/gt_segmentations_{part}.json", json.dumps(entries))
    return root
