"""Mutated image files are read as before, or visibly otherwise, or refused by name.

``python mutated_images.py FOLDER FIRST COUNT``: see :mod:`seeds`.
"""

import random
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

from image_files import write_dicom_kind, write_jpeg, write_palette, write_png_kind, write_tiff
from seeds import Attempt, Tried, campaign

from prior_bench.data.images.decode import decode_mask, decode_with_remarks, size_of_file
from prior_bench.errors import BenchError

DICOM = dict(signed=False, inverted=True, rescale=(1.0, 0.0), window="whole", padding=True, colours=1)
TIFF = dict(
    low=0, inverted=True, colours=1, alpha="none", planar=False, byteorder="<", bad_pixel=False, pages=2
)


def originals(folder: Path) -> list[Path]:
    """Small files of all families of formats."""
    from PIL import Image

    y, x = np.mgrid[:48, :60]
    picture = (np.sin(x / 9) + np.cos(y / 7) + 2) / 4
    colour = np.stack([(picture * 255).astype(np.uint8)] * 3, -1)
    for name in ("a.webp", "a.jp2", "a.bmp", "a.ppm", "a.tga", "lzw.tif"):
        options = {"compression": "tiff_lzw"} if name == "lzw.tif" else {}
        Image.fromarray(colour).save(folder / name, **options)
    frames = [Image.fromarray(colour[..., 0]), Image.fromarray(255 - colour[..., 0])]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    png = dict(low=0, orientation=6)
    write_png_kind(folder / "grey.png", picture, bits=8, colours=1, alpha="none", **png)
    write_png_kind(folder / "deep.png", picture, bits=12, colours=3, alpha="varying", **png)
    write_palette(folder / "palette.png", picture, shuffled=True)
    write_jpeg(folder / "a.jpg", picture, mode="RGB", progressive=False, orientation=5)
    write_jpeg(folder / "progressive.jpg", picture, mode="CMYK", progressive=True, orientation=1)
    write_tiff(folder / "a.tif", picture, kind="u2", bits=12, compression=None, orientation=8, **TIFF)
    write_tiff(folder / "floats.tif", picture, kind="f4", bits=12, compression="zlib", orientation=1, **TIFF)
    write_dicom_kind(folder / "a.dcm", picture, bits=12, floats=False, rle=False, **DICOM)
    write_dicom_kind(folder / "rle", picture, bits=8, floats=False, rle=True, **DICOM)
    write_dicom_kind(folder / "floats.ima", picture, bits=12, floats=True, rle=False, **DICOM)
    return sorted(folder.iterdir())


def mutated(content: bytes, others: list[bytes], luck: random.Random) -> tuple[bytes, str]:
    """A damaged copy of a file, and what was done."""
    data, size = bytearray(content), len(content)
    kind = luck.choice(
        ["cut", "flip", "flip", "header", "header", "zeros", "ones", "repeat", "insert", "mix"]
    )
    at = luck.randrange(size)
    if kind == "cut":
        return bytes(data[:at]), kind
    if kind in ("flip", "header"):
        for _ in range(luck.choice([1, 1, 2, 8, 30])):
            data[luck.randrange(min(size, 400 if kind == "header" else size))] = luck.randrange(256)
    elif kind in ("zeros", "ones"):
        length = luck.choice([1, 2, 4, 64])
        data[at : at + length] = (b"\0" if kind == "zeros" else b"\xff") * len(data[at : at + length])
    elif kind == "repeat":
        data[at:at] = data[at : at + luck.randrange(1, 200)]
    elif kind == "insert":
        data[at:at] = luck.randbytes(luck.randrange(1, 50))
    else:
        other = luck.choice(others)
        data[at:] = other[min(at, len(other)) :]
    return bytes(data), kind


def wrong_with(path: Path, kind: str, original: np.ndarray, checked: bool) -> str | None:
    """What is wrong with how a file is read; "" if it is read, None if it is refused."""
    try:
        stated = size_of_file(path)
    except BenchError:
        stated = None
    try:
        decode_mask(path)
    except BenchError:
        pass
    try:
        pixels, remarks = decode_with_remarks(path)
    except BenchError as error:
        return None if str(path) in str(error) and error.fix else f"the message names no file or fix: {error}"
    if pixels.dtype != np.uint8 or pixels.shape != stated:
        return f"{pixels.dtype} {pixels.shape} is read, and the header says {stated}"
    changed = pixels.shape != original.shape or not np.array_equal(pixels, original)
    if changed and not remarks and (kind == "cut" or checked):
        return "the picture has changed without a word"
    return ""


def prepare(folder: Path) -> Attempt:
    """Write the files that are mutated."""
    files = originals(folder)
    contents = [path.read_bytes() for path in files]
    pictures = [decode_with_remarks(path)[0] for path in files]

    def attempt(seed: int) -> Tried:
        luck = random.Random(seed)
        which = luck.randrange(len(files))
        content, kind = mutated(contents[which], contents, luck)
        path = folder / f"mutated{files[which].suffix}"
        path.write_bytes(content)
        # PNG alone has checksums of everything
        checked = path.suffix == ".png" and kind != "mix"
        wrong = wrong_with(path, kind, pictures[which], checked=checked)
        assert not wrong, f"{kind} of {files[which].name}: {wrong}"
        return Tried(wrong is None)

    return attempt


if __name__ == "__main__":
    campaign("image files", prepare)
