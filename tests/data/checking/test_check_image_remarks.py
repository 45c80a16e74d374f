"""``data check`` says which images and masks were read with a guess, and counts masks that are empty."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from writers import write_dicom

from prior_bench.cli import main
from prior_bench.data.images.remarks import KINDS, ImageRemark, summarised

DRAWN = np.zeros((20, 30), np.uint8)
DRAWN[5:12, 4:17] = 255
PICTURE = np.add.outer(np.arange(20), np.arange(30) * 5).astype(np.uint8)


@pytest.fixture
def images(tmp_path):
    for number in range(6):
        Image.fromarray(PICTURE + np.uint8(number)).save(tmp_path / f"{number}.png")
    return tmp_path


def checked(folder, capsys, lines) -> tuple[int, str]:
    (folder / "a.csv").write_text("\n".join(["image,mask,y", *lines]))
    code = main(["data", "check", str(folder / "a.csv")])
    return code, capsys.readouterr().out


def masks(folder, name, pixels) -> list[str]:
    for number in range(6):
        pixels[number % len(pixels)].save(folder / f"mask{number}{name}")
    return [f"{number}.png,mask{number}{name},{number % 2}" for number in range(6)]


def test_masks_that_are_all_empty_are_a_problem(images, capsys):
    code, out = checked(images, capsys, masks(images, ".png", [Image.fromarray(DRAWN * 0)]))
    assert code == 1 and "problem: 6 of 6 masks are empty" in out


def test_some_empty_masks_are_counted(images, capsys):
    lines = masks(images, ".png", [Image.fromarray(DRAWN), Image.fromarray(DRAWN * 0)])
    code, out = checked(images, capsys, lines)
    assert "note: 3 of 6 masks are empty" in out


def test_guesses_are_counted_by_kind_with_the_first_file(images, capsys):
    alpha = Image.merge("LA", [Image.new("L", (30, 20)), Image.fromarray(DRAWN)])
    code, out = checked(images, capsys, masks(images, ".png", [alpha]))
    remarks = [line for line in out.splitlines() if "alpha" in line]
    assert code == 0 and len(remarks) == 1
    assert (
        remarks[0].startswith("remark: 6 files: ") and "mask0.png: mask is drawn in the alpha" in remarks[0]
    )
    assert "remark: 6 files" in checked(images, capsys, masks(images, ".jpg", [Image.fromarray(DRAWN)]))[1]


def test_full_masks_are_remarked(images, capsys):
    full = Image.fromarray(np.full(DRAWN.shape, 65535, np.uint16))
    code, out = checked(images, capsys, masks(images, ".png", [full]))
    assert code == 1 and "problem: 6 of 6 masks cover the whole image" in out and "empty" not in out


def test_an_image_with_a_guess_is_named(images, capsys):
    write_dicom(images / "blind.ima", PICTURE.astype(np.uint16), WindowCenter=9000, WindowWidth=3)
    (images / "b.csv").write_text("image,y\nblind.ima,1\n" + "".join(f"{n}.png,{n % 2}\n" for n in range(6)))
    assert main(["data", "check", str(images / "b.csv")]) == 0
    out = capsys.readouterr().out
    assert f"remark: 1 file: {KINDS['window']}; {images / 'blind.ima'}: the window shows nothing" in out


def test_a_remark_has_a_known_kind():
    with pytest.raises(ValueError, match="'colours' is no kind"):
        ImageRemark("colours", "")


def test_files_are_counted_once_per_kind():
    remark = ImageRemark("pages", "the first of 2 pages is read")
    pairs = [(Path("a"), remark), (Path("a"), remark), (Path("b"), remark)]
    (line,) = summarised(pairs)
    assert line.startswith("2 files: ") and line.endswith("the first is a: the first of 2 pages is read")
