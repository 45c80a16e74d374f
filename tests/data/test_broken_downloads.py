"""The ways downloads go wrong, for every reader: a message that names file and fix, nothing half-written.

The files that carry annotations are lost, cut off, emptied, replaced by a login page or by a link that leads
nowhere, and their columns renamed; images are absent, links to nowhere, or not unpacked at all. What is wrong
inside single images is in ``test_broken_images.py``.
"""

import gzip
from pathlib import Path

import dense_miniatures
import pytest
from layouts import LAYOUTS, NIH_LISTS, Damage
from refusing import refused
from writers import write_text

from prior_bench.cli import main
from prior_bench.data.open import open_dataset, prepare_dataset
from prior_bench.errors import BenchError

# --- what happens to files ---


def lose(path: Path) -> None:
    path.unlink()


def link_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("gone"))


def login_page(path: Path) -> None:
    path.write_bytes(b"\n<!DOCTYPE html><html><title>Sign in</title></html>")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut_off(path: Path) -> None:
    """Archives in the middle, tables and lists within their last line."""
    content = path.read_bytes().rstrip()
    if path.suffix in (".gz", ".tgz", ".npz", ".json"):
        path.write_bytes(content[: len(content) * 2 // 3])
    else:
        path.write_bytes(content[: max(content.rindex(b"," if b"," in content else b" "), 1)])


FILE_DAMAGES: dict[Damage, str] = {
    lose: "{asked} is missing",
    link_nowhere: "{name}: is a dead link: it points to",
    login_page: "{name}: is a web page",
    empty: "{name}: (file is empty|archive is truncated or damaged)",
    cut_off: "{name}: (is truncated|archive is truncated|not a JSON file|not of the form)",
}
SPECIAL = {
    ("csv", "lose"): "own.csv: no such file or folder",
    ("csv", "link_nowhere"): "own.csv: no such file or folder",
    ("openi of Kaggle", "link_nowhere", "indiana_reports.csv"): "NLMCXR_reports.tgz is missing",
    ("openi of R2Gen", "link_nowhere"): "NLMCXR_reports.tgz is missing",
}


def cases():
    for name, layout in LAYOUTS.items():
        for file in layout.tables:
            for damage, words in FILE_DAMAGES.items():
                if damage is cut_off and (layout.kind == "csv" or file in NIH_LISTS):
                    continue  # files of one's own may be ragged; a list of single names shows no cut
                place = Path(file).name
                expected = words.format(asked=layout.asked.get(file, place), name=place).replace("*", r"\*")
                expected = SPECIAL.get((name, damage.__name__), expected)
                expected = SPECIAL.get((name, damage.__name__, file), expected)
                yield pytest.param(layout, file, damage, expected, id=f"{name}-{damage.__name__}-{place}")


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_miniature_is_sound(name, download):
    layout = LAYOUTS[name]
    layout.make(download)
    manifest, _, written = prepare_dataset(layout.reference(download), layout.split)
    assert len(manifest) and written
    assert not layout.images or set(manifest.table["image"]) <= {
        str(p.relative_to(download)) for p in download.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize(("layout", "file", "damage", "words"), list(cases()))
def test_annotation_file(layout, file, damage, words, download):
    layout.make(download)
    damage(download / file)
    refused(layout, download, words)


@pytest.mark.parametrize(
    ("layout", "file", "column"),
    [
        pytest.param(layout, file, column, id=f"{name}-{Path(file).name}")
        for name, layout in LAYOUTS.items()
        for file, column in layout.tables.items()
        if column
    ],
)
def test_renamed_column(layout, file, column, download):
    """The old name and the one in its place are both named."""
    layout.make(download)
    place, other = download / file, f"{column}_2"
    text = (gzip.decompress(place.read_bytes()) if place.suffix == ".gz" else place.read_bytes()).decode()
    first, _, rest = text.partition("\n")
    write_text(place, "\n".join([first.replace(column, other, 1), rest]))
    words = rf"{place.name}: column '{column}' missing\n  fix: is '{other}' meant to be '{column}'\?"
    refused(layout, download, words)


IMAGE_LAYOUTS = [name for name, layout in LAYOUTS.items() if layout.images]


@pytest.mark.parametrize("name", IMAGE_LAYOUTS)
@pytest.mark.parametrize("state", ["absent", "a dead link"])
def test_half_the_images_absent(name, state, download):
    layout = LAYOUTS[name]
    layout.make(download)
    images = sorted(open_dataset(layout.reference(download), layout.split).table["image"].unique())
    lost = images[::2]
    for image in lost:
        (download / image).unlink()
        if state == "a dead link":
            (download / image).symlink_to(download / "elsewhere" / image)
    if layout.kind == "csv":
        words = r"own\.csv, line \d+: image .*\.png (is a dead link|does not exist) \(\d+ lines in all\)"
    else:
        words = rf"\d+ of \d+ images named there are missing; the first is {state}: .*"
    message = str(refused(layout, download, words))
    assert any(Path(image).name in message for image in lost) and "missing" in message.partition("fix: ")[2]
    if len(lost) < len(images):
        rest = open_dataset({**layout.reference(download), "missing": "skip"}, layout.split)
        assert set(rest.table["image"]) == set(images) - set(lost)


@pytest.mark.parametrize("name", IMAGE_LAYOUTS)
def test_images_not_unpacked(name, download):
    layout = LAYOUTS[name]
    layout.make(download)
    for image in download.glob(layout.images.replace("train/*.png", "*/*.png")):
        image.unlink()
    error = refused(layout, download, r"images named there are missing|does not exist \(10 lines in all\)")
    if layout.kind != "csv":
        assert "fix: unpack the images so that this file is there; `prior-bench data describe" in str(error)
    with pytest.raises(BenchError):  # there is nothing to go on with
        open_dataset({**layout.reference(download), "missing": "skip"}, layout.split)


def test_the_command_prints_the_message_and_no_traceback(download, capsys):
    dense_miniatures.siim_acr(download)
    cut_off(download / "train-rle.csv")
    for verb in (["check"], ["prepare"], ["cache", "--size", "32"]):
        assert main(["data", verb[0], f"siim_acr@{download}", *verb[1:]]) == 1
        out, err = capsys.readouterr()
        assert err.startswith(
            f"error: {download}/train-rle.csv: is truncated: its last line has 1 of 2 fields\n  fix: "
        )
        assert out == "" and "Traceback" not in err
    assert not (download.parent / "cache").exists()
