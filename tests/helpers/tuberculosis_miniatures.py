"""The data sets of tuberculosis in miniature; see ``miniatures``."""

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
