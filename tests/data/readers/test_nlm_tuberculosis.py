"""The Montgomery and the Shenzhen collection in miniature."""

import shutil

import numpy as np
import pytest
import tuberculosis_miniatures

from prior_bench.data.manifest import NO_PATIENTS
from prior_bench.data.readers.nlm_tuberculosis import montgomery, shenzhen
from prior_bench.errors import BenchError


@pytest.fixture
def county(tmp_path):
    return tuberculosis_miniatures.montgomery(tmp_path)


@pytest.fixture
def hospital(tmp_path):
    return tuberculosis_miniatures.shenzhen(tmp_path)


def drawn(data, name, lung="mask"):
    return data.table.set_index("id").loc[name, lung].decode(8, 8)


def test_montgomery_label_reading_and_both_lungs(county):
    data = montgomery.read(county)
    row = data.table.set_index("id").loc["MCUCXR_0003_1"]
    assert data.labels == ("Tuberculosis",) and len(data) == 10 and data.targets().sum() == 5
    assert row["Tuberculosis"] == 1 and row["patient_id"] == "MCUCXR_0003" and row["view"] == "PA"
    assert row["about_sex"] == "M" and row["about_age"] == 23
    assert row["report"] == ("Infiltrate in RUL.", "Consistent with active TB.")
    normal = data.table.set_index("id").loc["MCUCXR_0002_0"]
    assert normal["Tuberculosis"] == 0 and normal["about_sex"] == "F" and normal["report"] == ("normal",)
    mask = drawn(data, "MCUCXR_0003_1")
    assert mask.sum() == 10 and mask[2, 6] == 1 and mask[2, 2] == 1 and mask.max() == 1
    assert data.notes == (NO_PATIENTS,) and set(data.table["split"]) == {"train", "valid", "test"}


def test_montgomery_one_lung(county):
    left, right = (drawn(montgomery.read(county, lung=side), "MCUCXR_0002_0") for side in ("left", "right"))
    assert left.sum() == 6 and left[:, 5:7].sum() == 6
    assert right.sum() == 4 and right[:, 1:3].sum() == 4
    with pytest.raises(BenchError, match="did you mean left"):
        montgomery.read(county, lung="lef")


def test_montgomery_above_its_folder_and_as_kaggle_has_it(county, tmp_path):
    inner = tmp_path / "above/MontgomerySet"
    inner.mkdir(parents=True)
    for name in ("CXR_png", "ClinicalReadings", "ManualMask"):
        shutil.move(county / name, inner / name)
    assert montgomery.read(tmp_path / "above").root == inner
    tuberculosis_miniatures.shenzhen(inner)  # the re-pack has both sets in one folder
    shutil.move(inner / "ManualMask/leftMask", inner / "masks")
    shutil.rmtree(inner / "ManualMask")
    data = montgomery.read(inner)
    assert len(data) == 10 and drawn(data, "MCUCXR_0002_0").sum() == 6
    assert len(shenzhen.read(inner)) == 10
    with pytest.raises(BenchError, match="ManualMask/ is missing\n.*lung must be 'both'"):
        montgomery.read(inner, lung="left")


def test_montgomery_errors(county):
    (county / "ManualMask/rightMask/MCUCXR_0004_0.png").unlink()
    with pytest.raises(BenchError, match=r"rightMask: 1 of 10 masks are missing; .* MCUCXR_0004_0\n"):
        montgomery.read(county)
    assert len(montgomery.read(county, lung="left")) == 10
    (county / "ClinicalReadings/MCUCXR_0004_0.txt").rename(county / "ClinicalReadings/MCUCXR_0004.txt")
    with pytest.raises(BenchError, match="'MCUCXR_0004' is not a name like MCUCXR_0001_0"):
        montgomery.read(county)
    shutil.rmtree(county / "ClinicalReadings")
    with pytest.raises(BenchError, match="ClinicalReadings/ is missing\n.*found: CXR_png, ManualMask"):
        montgomery.read(county)


def test_shenzhen_label_reading_and_the_masks_there_are(hospital):
    data = shenzhen.read(hospital)
    table = data.table.set_index("id")
    assert data.targets().sum() == 5 and table.loc["CHNCXR_0003_1", "Tuberculosis"] == 1
    assert table["mask"].isna().sum() == 2 and table.loc["CHNCXR_0003_1", "mask"] is None
    assert drawn(data, "CHNCXR_0004_0").sum() == 12
    assert data.notes == (NO_PATIENTS, "8 of 10 images have a lung mask, in mask/")
    heads = table.sort_index()[["about_sex", "about_age"]].head(5)
    assert heads["about_sex"].tolist() == ["F", "M", "F", "F", "M"]
    np.testing.assert_allclose(heads["about_age"], [32, 16 / 12, 73 / 365.25, 61, 45])
    assert table.loc["CHNCXR_0001_1", "report"] == ("Bilateral PTB",)


def test_shenzhen_without_masks_and_with_odd_readings(hospital):
    shutil.rmtree(hospital / "mask")
    place = hospital / "ClinicalReadings/CHNCXR_0001_1.txt"
    place.write_bytes(b"unknown\xa3\xac\nPTB\xa1\xa3")
    data = shenzhen.read(hospital)
    row = data.table.set_index("id").loc["CHNCXR_0001_1"]
    assert not data.has("masks") and data.notes == (NO_PATIENTS,)
    assert row[["about_sex", "about_age"]].isna().all() and row["report"] == ("PTB",)
    place.write_bytes(b"")
    with pytest.raises(BenchError, match="CHNCXR_0001_1.txt: file is empty"):
        shenzhen.read(hospital)


@pytest.mark.parametrize("split_of", [montgomery, shenzhen])
def test_the_split_keeps_the_share_of_tuberculosis(split_of, tmp_path):
    make = getattr(tuberculosis_miniatures, split_of.__name__.rpartition(".")[2])
    table = split_of.read(make(tmp_path)).table
    assert table.groupby("split")["Tuberculosis"].sum().between(1, 4).all()
    assert table["split"].value_counts()["train"] == 7
