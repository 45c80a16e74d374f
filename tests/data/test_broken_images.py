"""Single images that are broken or odd: ``data check`` finds them, the cache goes on without them."""

import re
from pathlib import Path

import dense_miniatures
import miniatures
import numpy as np
import pytest
from PIL import Image
from writers import write_dicom

from prior_bench.cli import main
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import read_image
from prior_bench.data.open import open_dataset

STORED = np.arange(0, 16 * 16 * 16, 16, dtype=np.uint16).reshape(16, 16)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def page(path: Path) -> None:
    path.write_bytes(b"<html>quota exceeded</html>")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def of_dicom(**tags):
    kind = tags.pop("kind", "MONOCHROME2")
    return lambda path: write_dicom(path, STORED, kind=kind, **tags)


PICTURE = {half: "not a readable image, or truncated", page: "not a readable image", nothing: "0 bytes"}
DICOM = {
    half: "pixels cannot be decoded|contains no image or is truncated",
    page: "not a DICOM file",
    nothing: "0 bytes",
    of_dicom(kind="PALETTE COLOR"): "photometric interpretation PALETTE COLOR is not supported",
    of_dicom(RescaleSlope="0", RescaleIntercept="1"): "the rescale slope is 0",
    of_dicom(WindowCenter="5", WindowWidth="0"): "rescale or window .* cannot be applied",
}
READERS = {
    "rsna_pneumonia": (dense_miniatures.rsna_pneumonia, DICOM),
    "siim_acr": (dense_miniatures.siim_acr, DICOM),
    "vindr_cxr": (dense_miniatures.vindr_kaggle, DICOM),
    "nih_chestxray14": (dense_miniatures.nih_chestxray14, PICTURE),
    "object_cxr": (dense_miniatures.object_cxr, PICTURE),
    "chexpert": (miniatures.chexpert, PICTURE),
    "mimic_cxr": (miniatures.mimic_cxr, PICTURE),
    "covidx": (miniatures.covidx, PICTURE),
    "openi": (miniatures.openi, PICTURE),
}


def problems(capsys, *arguments) -> tuple[int, list[str]]:
    code = main(["data", "check", *map(str, arguments)])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("problem: ")]
    found = [line for line in lines if not any(words in line for words in OF_MINIATURES)]
    return code if found else 0, found


OF_MINIATURES = ("are constant", "same pixels", "no image of")
"""What is wrong with every miniature: plain images, often the same, and too few to have positives."""


@pytest.mark.parametrize("kind", READERS)
def test_broken_images_are_named_and_the_others_cached(kind, download, cache, capsys):
    make, damages = READERS[kind]
    make(download)
    images = [download / name for name in sorted(open_dataset(f"{kind}@{download}").table["image"])]
    hurt = dict(zip(images, damages.items(), strict=False))
    assert len(hurt) == len(damages)
    for path, (damage, _) in hurt.items():
        damage(path)
    code, found = problems(capsys, f"{kind}@{download}")
    assert code == 1
    for path, (_, words) in list(hurt.items())[:5]:  # as many as are printed in full
        (line,) = [line for line in found if str(path) in line]
        assert re.search(words, line), line
    assert main(["data", "cache", f"{kind}@{download}", "--size", "16"]) == 1
    out, err = capsys.readouterr()
    assert f"{len(hurt)} image(s) cannot be read; all others are cached" in err
    assert all(str(path) in err for path in hurt) and f"{len(images):,} images cached" in out
    assert not list(cache.rglob("*.part"))
    small = open_dataset({"type": kind, "root": str(download), "cache": 16})
    for row, name in enumerate(small.table["image"]):
        if download / name not in hurt:
            np.testing.assert_array_equal(
                read_image(small.path(row)), reduced(read_image(download / name), 16)
            )


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("0 3 5 60", "reaches 68, outside the image's 64 pixels"),
        ("63 1 1 1", "reaches 66, outside the image's 64 pixels"),
    ],
)
def test_run_lengths_out_of_range_name_file_and_image(run, words, download, capsys):
    dense_miniatures.siim_acr(download)
    table = download / "train-rle.csv"
    table.write_text(table.read_text().replace("1.2.276.4, 0 3 5 2", f"1.2.276.4, {run}"))
    code, found = problems(capsys, f"siim_acr@{download}")
    assert code == 1 and found == [f"problem: train-rle.csv, image 1.2.276.4: run-length mask {words}"]
    assert main(["data", "prepare", f"siim_acr@{download}"]) == 0
    assert problems(capsys, f"siim_acr@{download}") == (1, found), "the prepared index says the same"


def test_odd_images_that_are_whole_are_read_and_cached(download, capsys):
    """16 bits, EXIF rotation, colour and MONOCHROME1 among the files of real layouts: no problem."""
    dense_miniatures.nih_chestxray14(download / "nih")
    deep, turned, colour = sorted((download / "nih").rglob("*.png"))[:3]
    Image.fromarray(STORED).save(deep)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)).save(turned, exif=exif)
    Image.fromarray(np.stack([np.full((8, 8), v, np.uint8) for v in (200, 0, 0)], -1)).save(colour)
    dense_miniatures.rsna_pneumonia(download / "rsna")
    inverted = sorted((download / "rsna").rglob("*.dcm"))[0]
    write_dicom(inverted, STORED, kind="MONOCHROME1", RescaleSlope="0.5", RescaleIntercept="-100")
    for kind in ("nih", "rsna"):
        name = {"nih": "nih_chestxray14", "rsna": "rsna_pneumonia"}[kind]
        labels = ["--set", "labels=Mass"] if kind == "nih" else []
        assert problems(capsys, f"{name}@{download / kind}", *labels) == (0, [])
        assert main(["data", "cache", f"{name}@{download / kind}", "--size", "64"]) == 0
    capsys.readouterr()
    nih, rsna = (
        open_dataset({"type": name, "root": str(download / kind), "cache": 64})
        for kind, name in (("nih", "nih_chestxray14"), ("rsna", "rsna_pneumonia"))
    )
    read = {name: read_image(nih.path(row)) for row, name in enumerate(nih.table["id"])}
    assert read[deep.name][0, 0] == 0 and read[deep.name][-1, -1] == 255
    assert read[turned.name].shape == (20, 12) and set(np.unique(read[colour.name])) == {60}
    shown = {rsna.table["id"][row]: read_image(rsna.path(row)) for row in range(len(rsna))}
    assert shown[inverted.stem][0, 0] == 255 and shown[inverted.stem][-1, -1] == 0
