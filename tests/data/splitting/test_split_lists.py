"""results/splits is what the public annotation files give."""

import gzip
import hashlib

import make_split_lists as made
import pandas as pd
import pytest

SAID = pd.read_csv(made.FOLDER / "splits.csv", keep_default_na=False)


def test_kept_ids_have_their_hash_and_count():
    kept = SAID[SAID["file"] != ""]
    assert {"rsna_pneumonia", "siim_acr"} == set(kept["data"])
    for line in kept.itertuples():
        text = gzip.decompress((made.FOLDER / line.file).read_bytes())
        assert hashlib.sha256(text).hexdigest() == line.sha256
        assert len(text.decode().split("\n")) == line.images
    on_disk = {path.name for path in made.FOLDER.glob("*.gz")}
    assert on_disk == set(kept["file"])
    assert sum(path.stat().st_size for path in made.FOLDER.iterdir()) < 1.5e6


def test_low_label_subsets_have_the_papers_sizes():
    drawn = SAID[SAID["protocol"] != ""].set_index(["protocol", "share"])["images"].to_dict()
    assert drawn[("mgca/linear_rsna", 0.01)] == 187 and drawn[("mgca/linear_rsna", 0.1)] == 1868
    assert drawn[("mgca/segmentation_rsna", 0.01)] == 160 and drawn[("mgca/segmentation_rsna", 0.1)] == 1601
    assert [drawn[("mgca/segmentation_siim", share)] for share in (0.01, 0.1, 1.0)] == [40, 400, 4004]
    assert drawn[("mgca/linear_chexpert", 0.01)] == 1858 and drawn[("mgca/linear_chexpert", 0.1)] == 18_577
    assert drawn[("benchx/finetune_rsna", 0.01)] == 186 and drawn[("benchx/finetune_rsna", 0.1)] == 1867


def test_first_ids_of_the_papers_splits():
    firsts = {
        ("mgca_classification", "valid"): "8e2001aa",
        ("mgca_classification", "test"): "f2698fda",
        ("mgca_detection", "valid"): "857b7847",
        ("mgca_detection", "test"): "ab1131b2",
    }
    whole = SAID[(SAID["data"] == "rsna_pneumonia") & (SAID["protocol"] == "")]
    for (rule, part), first in firsts.items():
        (file,) = whole[(whole["rule"] == rule) & (whole["part"] == part)]["file"]
        assert gzip.decompress((made.FOLDER / file).read_bytes()).decode().startswith(first)


def test_the_last_ids_that_benchx_ships_for_one_percent():
    (file,) = SAID[(SAID["protocol"] == "benchx/finetune_rsna") & (SAID["share"] == 0.01)]["file"]
    ids = gzip.decompress((made.FOLDER / file).read_bytes()).decode().split()
    assert ids[-5:] == [
        "08295bd5-d317-467a-acbb-ba3ba9218c9f",
        "a08f8f29-efb4-47e3-9e5f-473c87455dad",
        "9ee3b37b-f1e7-4b02-8f8f-a8af4ce3990e",
        "4f7c7705-738d-4ab2-818c-1fadc70c1fee",
        "dad07c65-2ba6-4717-bf2a-404fd777d962",
    ]


@pytest.mark.slow
def test_made_again_they_are_the_same():
    again = [{**said, "file": made.file_of(said)} for said, _ in made.lists(made.annotations())]
    pd.testing.assert_frame_equal(pd.DataFrame(again), SAID, check_dtype=False)
