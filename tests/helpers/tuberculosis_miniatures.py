"""The data sets of tuberculosis in miniature; see ``miniatures``."""

import json
from pathlib import Path

import numpy as np
from writers import write_image, write_png, write_text


def montgomery(root: Path) -> Path:
    """Ten images, half of them with tuberculosis; the left lung has 6 pixels, the right one 4."""
    for n in range(1, 11):
        name = f"MCUCXR_{n:04d}_{n % 2}"
        write_image(root / f"CXR_png/{name}.png")
        for side, area in (("left", np.s_[1:4, 5:7]), ("right", np.s_[1:3, 1:3])):
            mask = np.zeros((8, 8), np.uint8)
            mask[area] = 255
            write_png(root / f"ManualMask/{side}Mask/{name}.png", mask)
        finding = "Infiltrate in RUL.\nConsistent with active TB." if n % 2 else "normal"
        head = f"Patient's Sex: {'FM'[n % 3 == 0]} \nPatient's Age: {20 + n:03d}Y\n"
        write_text(root / f"ClinicalReadings/{name}.txt", head + finding)
    return root


SHENZHEN_HEADS = ("male 45yrs", "femal 32yrs", "male 16month", "female , 73days", "Female 61 yrs")


def shenzhen(root: Path) -> Path:
    """Ten images, half of them with tuberculosis; all but two have a mask."""
    for n in range(1, 11):
        name = f"CHNCXR_{n:04d}_{n % 2}"
        write_image(root / f"CXR_png/{name}.png")
        if n not in (3, 8):
            mask = np.zeros((8, 8), np.uint8)
            mask[2:5, :n] = 255
            write_png(root / f"mask/{name}_mask.png", mask)
        finding = "Bilateral PTB" if n % 2 else "normal"
        write_text(root / f"ClinicalReadings/{name}.txt", f"{SHENZHEN_HEADS[n % 5]}\n{finding}\n")
    return root


TBX_CATEGORIES = ("ActiveTuberculosis", "ObsoletePulmonaryTuberculosis", "PulmonaryTuberculosis")


def tbx11k(root: Path) -> Path:
    """Thirty images to train and nine to validate, a third of each class; categories count from 1.

    Of the images with tuberculosis, the first has active and obsolete, the second none that is boxed, the
    others active.
    """
    for part, first, count in (("train", 1, 30), ("val", 101, 9)):
        images, annotations = [], []
        for n in range(first, first + count):
            folder, letters = (("health", "h"), ("sick", "s"), ("tb", "tb"))[n % 3]
            name = f"{folder}/{letters}{n:04d}.png"
            write_image(root / "imgs" / name)
            images.append({"id": n, "file_name": name, "width": 8, "height": 8})
            of_tb = {2: (1, 2), 5: ()}.get(n, (1,)) if folder == "tb" else ()
            for k, category in enumerate(of_tb):
                box = [1 + k, 2, 3, 4.5]
                annotations.append(
                    {"id": len(annotations), "image_id": n, "category_id": category, "bbox": box}
                )
        categories = [
            {"id": n, "name": name, "supercategory": "Tuberculosis"}
            for n, name in enumerate(TBX_CATEGORIES, 1)
        ]
        content = {"info": [], "categories": categories, "images": images, "annotations": annotations}
        write_text(root / f"annotations/json/TBX11K_{part}.json", json.dumps(content))
    return root
