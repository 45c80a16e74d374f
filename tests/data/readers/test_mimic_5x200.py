"""MIMIC 5x200 in miniature: BenchX's list against the tables of MIMIC-CXR."""

import miniatures
import pytest

from prior_bench.data.readers.chexpert.labels import FIVE
from prior_bench.data.readers.mimic_cxr import five_by_200 as mimic_5x200
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return miniatures.mimic_5x200(tmp_path)


def test_listed_images_with_one_label_and_report(root):
    data = mimic_5x200.read(root)
    assert data.table["id"].tolist() == [f"d{n:02d}" for n in range(10)]
    assert data.exclusive and data.labels == FIVE and (data.targets().argmax(axis=1)[:5] == range(5)).all()
    assert (data.table["split"] == "test").all()
    assert data.table["report"].iloc[3] == ("There is some edema.", "Edema.")
    assert (
        mimic_5x200.read(root, split="benchx", reports=None).table["id"].tolist() == data.table["id"].tolist()
    )


def test_what_can_be_wrong(root, write_text):
    with pytest.raises(BenchError, match="did you mean benchx"):
        mimic_5x200.read(root, split="bench")
    text = (root / "mimic_5x200_ids.csv").read_text()
    write_text(root / "mimic_5x200_ids.csv", text + "\np,zzz,1,1,r\n")
    with pytest.raises(
        BenchError, match=r"ids.csv: 1 of 11 images are not in the metadata; the first is zzz"
    ):
        mimic_5x200.read(root)
    write_text(root / "mimic_5x200_ids.csv", text.replace("dicom_id", "dicom"))
    with pytest.raises(BenchError, match=r"ids.csv: column 'dicom_id' missing"):
        mimic_5x200.read(root)
    write_text(root / "mimic_5x200_ids.csv", text)
    place = root / "mimic-cxr-2.0.0-chexpert.csv.gz"
    place.unlink()
    write_text(place, f"subject_id,study_id,{','.join(FIVE)}\n10000000,500000000,1.0,1.0,,,\n")
    with pytest.raises(BenchError, match="10 of 10 images are not positive for exactly one of the five"):
        mimic_5x200.read(root)
    (root / "mimic_5x200_ids.csv").unlink()
    with pytest.raises(BenchError, match="mimic_5x200_ids.csv is missing"):
        mimic_5x200.read(root)
