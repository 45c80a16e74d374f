"""Decoding, reduction, transforms, annotations and corruptions of small images.

Pixels are compared with a tolerance of one grey level: resampling rounds differently on other CPUs.
"""

from functools import partial
from pathlib import Path

import numpy as np
import tifffile
import torch
from golden_case import Case, Numbers, summary
from PIL import Image
from writers import write_dicom

from prior_bench.api import InputSpec
from prior_bench.data.annotations.box_fusion import fuse_boxes
from prior_bench.data.annotations.masks import BoxMask, RleMask, ShapeMask
from prior_bench.data.images.corruptions import SEVERITIES, Condition, corrupt
from prior_bench.data.images.decode import decode_file, decode_mask, reduced
from prior_bench.data.images.transforms import dense_transform, eval_transform, train_transform

GREY = 1.5
"""Tolerance of a pixel, in grey levels."""
NORMALISED = GREY / 255 / 0.25
"""The same after division by the standard deviation."""
SPECS = {
    mode: InputSpec(size=32, channels=channels, mean=0.4, std=0.25, resize=mode)
    for mode, channels in (("pad", 1), ("crop", 3), ("squash", 1))
}
AUGMENTATIONS = {
    "RandomResizedCrop": dict(scale=(0.5, 0.9)),
    "RandomCrop": dict(size=32, padding=4),
    "RandomAffine": dict(degrees=15, translate=(0.1, 0.1), scale=(0.9, 1.1)),
    "RandomRotation": dict(degrees=20),
    "RandomHorizontalFlip": dict(p=0.5),
    "ColorJitter": dict(brightness=0.3, contrast=0.3),
    "GaussianBlur": dict(kernel_size=3),
}


def picture(height: int = 90, width: int = 120) -> np.ndarray:
    """Fine stripes, edges and noise, so that another filter or rounding shows; uint8 [height, width]."""
    y, x = np.mgrid[:height, :width]
    pixels = 40 * ((x // 3) % 2) + 60 * (y > height / 3) + 50 * ((x + 2 * y) % 40 < 12)
    return (pixels + np.random.default_rng(0).integers(0, 60, pixels.shape)).astype(np.uint8)


def decoding(folder: Path) -> Numbers:
    grey = picture()
    deep = grey.astype(np.uint16) * 37 + 1000
    colour = np.stack([grey, grey[::-1], 255 - grey], axis=-1)
    Image.fromarray(grey).save(folder / "grey.png")
    Image.fromarray(deep).save(folder / "deep.png")
    Image.fromarray(colour).save(folder / "colour.png")
    Image.fromarray(grey).save(folder / "grey.jpg", quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(grey).save(folder / "turned.jpg", exif=exif, quality=95)
    write_dicom(folder / "plain.dcm", deep)
    write_dicom(folder / "inverted.dcm", deep, kind="MONOCHROME1")
    write_dicom(folder / "window.dcm", deep, WindowCenter=4000, WindowWidth=5000)
    return {path.name: summary(decode_file(path)) for path in sorted(folder.iterdir())}


def image_kinds(folder: Path) -> Numbers:
    """Files that version 1 misread or refused."""
    deep = picture().astype(np.uint16) * 37 + 1000
    tifffile.imwrite(folder / "white_is_zero.tif", deep, photometric="miniswhite")
    tifffile.imwrite(
        folder / "colours.tif", np.stack([deep, deep[::-1], deep[:, ::-1]], -1), photometric="rgb"
    )
    tifffile.imwrite(folder / "signed.tif", deep.astype(np.int16) - 5000)
    floats = deep / 7
    floats[5, 5] = np.nan
    tifffile.imwrite(folder / "nan.tif", floats)
    write_dicom(folder / "blind.dcm", deep, WindowCenter=40000, WindowWidth=300)
    padded = deep.copy()
    padded[:9] = 65535
    write_dicom(folder / "padded.dcm", padded, PixelPaddingValue=65535)
    write_dicom(folder / "few.dcm", picture() // 4, BitsStored=6, HighBit=5)
    return {path.name: summary(decode_file(path)) for path in sorted(folder.iterdir())}


def mask_kinds(folder: Path) -> Numbers:
    """Files that version 1 misread."""
    drawn = ((picture() > 100) * 255).astype(np.uint8)
    Image.fromarray(drawn).save(folder / "lossy.jpg", quality=80)
    Image.merge("LA", [Image.new("L", drawn.shape[::-1]), Image.fromarray(drawn)]).save(folder / "alpha.png")
    Image.fromarray(np.full((90, 120), 65535, np.uint16)).save(folder / "full.png")
    Image.fromarray(drawn.astype(np.uint16) // 255).save(folder / "deep.png")
    Image.fromarray(picture() / np.float32(255)).save(folder / "soft.tif")
    return {path.name: summary(decode_mask(path)[0]) for path in sorted(folder.iterdir())}


def reduction(folder: Path) -> Numbers:
    return {str(size): summary(reduced(picture(), size)) for size in (200, 64, 50, 17)}


def evaluation(folder: Path) -> Numbers:
    found = {mode: summary(eval_transform(spec)(picture())) for mode, spec in SPECS.items()}
    found["Resize=40"] = summary(eval_transform(SPECS["pad"], dict(Resize=40))(picture()))
    return found


def filters(folder: Path) -> Numbers:
    """The filters and the rounding of the papers' code."""
    found = {}
    for name in ("area", "bilinear_aliased"):
        for mode, spec in SPECS.items():
            changed = spec.changed({"interpolation": name, "rounding": "down"})
            found[f"{name}, {mode}"] = summary(eval_transform(changed)(picture(91, 117)))
    return found


def training(folder: Path) -> Numbers:
    found = {}
    for name, arguments in AUGMENTATIONS.items():
        torch.manual_seed(3)
        transform = train_transform(SPECS["pad"], {name: arguments})
        found[name] = summary(torch.stack([transform(picture()) for _ in range(3)]))
    torch.manual_seed(4)
    together = train_transform(SPECS["crop"], {"Resize": 40, **AUGMENTATIONS, "RandomAffine": dict(p=0.5)})
    found["together"] = summary(together(picture()))
    return found


def drawn(folder: Path) -> Numbers:
    """Boxes and masks, fused, decoded and moved with their image."""
    boxes = np.array([[10, 12, 50, 40, 0], [60.5, 30, 118, 88, 1], [0, 0, 3, 2, 0]], np.float32)
    mask = BoxMask(boxes[:, :4])
    shapes = (("ellipse", (20.0, 10.0, 70.0, 60.0)), ("polygon", (5.0, 5.0, 40.0, 8.0, 12.0, 80.0)))
    found = {
        "boxes": summary(mask.decode(90, 120)),
        "runs": summary(RleMask(("5 10 200 30", "4000 777")).decode(90, 120)),
        "shapes": summary(ShapeMask(shapes).decode(90, 120)),
    }
    for mode, spec in SPECS.items():
        image, moved, moved_mask, _ = dense_transform(spec)(picture(), boxes, mask.decode(90, 120))
        found[mode] = {
            "image": summary(image),
            "boxes": moved.tolist(),
            "mask": summary(moved_mask),
        }
    torch.manual_seed(5)
    augmented = dense_transform(SPECS["pad"], {"RandomAffine": dict(degrees=20)})
    _, moved, moved_mask, _ = augmented(picture(), boxes, mask.decode(90, 120))
    found["augmented"] = {"boxes": moved.tolist(), "mask": summary(moved_mask)}
    fused, readers = fuse_boxes(
        np.array([[0, 0, 10, 10], [1, 1, 11, 11], [30, 30, 40, 42], [0, 1, 10, 9]], np.float32),
        np.array([0, 1, 1, 2]),
    )
    return {**found, "fused": {"boxes": fused.tolist(), "readers": np.asarray(readers).tolist()}}


def corrupted(name: str, folder: Path) -> Numbers:
    images = (picture(), picture(700, 560))
    return {
        f"severity {severity}, {image.shape[0]} rows": summary(
            corrupt(image, f"image {k}", Condition(name, severity))
        )
        for severity in SEVERITIES
        for k, image in enumerate(images)
        if k == 0 or severity == 3
    }


CASES = [
    Case("decoding", ("images",), decoding, atol=GREY),
    Case("kinds of images", ("images", "image_kinds"), image_kinds, atol=GREY),
    Case("kinds of masks", ("mask_kinds",), mask_kinds, atol=0.02),
    Case("reduction", ("images",), reduction, atol=GREY),
    Case("evaluation", ("eval_transform",), evaluation, atol=NORMALISED),
    Case("filters", ("images", "eval_transform"), filters, atol=NORMALISED),
    Case("training", ("train_transform",), training, atol=NORMALISED),
    Case("boxes and masks", ("annotations", "eval_transform", "train_transform"), drawn, atol=0.02),
    *(
        Case(f"corruption {name}", (f"corruption {name}", "images"), partial(corrupted, name), atol=GREY)
        for name in ("noise", "blur", "contrast", "jpeg", "exposure", "rotation")
    ),
]
