"""A manifest's fingerprint follows its content, not its place."""

import pickle
import shutil
from dataclasses import replace
from pathlib import Path

from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.csv.reader import read

REAL = Path(__file__).parent / "hannover_cxr"


def test_the_same_data_elsewhere_has_the_same_fingerprint(tmp_path):
    shutil.copytree(REAL, tmp_path / "copy")
    lines = (REAL / "metadata.csv").read_text().splitlines()
    with_masks = [f"{lines[0]},mask", *(f"{line},{line.split(',')[0]}" for line in lines[1:])]
    for folder in ("copy", "other"):
        if folder == "other":
            shutil.copytree(tmp_path / "copy", tmp_path / "other")
        (tmp_path / folder / "metadata.csv").write_text("\n".join(with_masks))
    one, other = (read(tmp_path / folder / "metadata.csv") for folder in ("copy", "other"))
    assert one.fingerprint() == other.fingerprint()
    assert one.fingerprint() != read(REAL / "metadata.csv").fingerprint()


def test_labels_splits_and_file_sizes_count(tmp_path):
    shutil.copytree(REAL, tmp_path / "copy")
    place = tmp_path / "copy" / "metadata.csv"
    before = read(place).fingerprint()
    assert read(place, label="projection").fingerprint() != before
    image = read(place).path(3)
    image.write_bytes(image.read_bytes() + b"\0")
    assert read(place).fingerprint() != before


def test_the_table_is_hashed_once_and_changed_files_are_still_noticed(tmp_path, monkeypatch):
    shutil.copytree(REAL, tmp_path / "copy")
    data = read(tmp_path / "copy" / "metadata.csv")
    before, of_train = data.fingerprint(), data.split("train").fingerprint()
    monkeypatch.setattr(Manifest, "_digest_of_table", None)
    assert data.fingerprint() == before and data.split("train").fingerprint() == of_train != before
    image = data.path(int((data.table["split"] == "train").to_numpy().argmax()))
    image.write_bytes(image.read_bytes() + b"\0")
    assert data.fingerprint() != before and data.split("train").fingerprint() != of_train
    image.unlink()
    absent = data.fingerprint()
    monkeypatch.undo()
    again = pickle.loads(pickle.dumps(data))
    assert again.fingerprint() == absent == replace(data, notes=("x",)).fingerprint()
    assert replace(data, name="other").fingerprint() != absent
