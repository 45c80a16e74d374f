"""Published numbers out of the real annotation files, through readers, protocols, metrics and ``data check``.

Images are not part of it: their files are taken to be there. The counts of single split rules are asserted
beside each reader (``test_real_...``).
"""

import gzip

import numpy as np
import pytest
from make_split_lists import rsna, siim
from miniatures import CHEXPERT_HEADER, chexpert_line
from writers import write_text

from prior_bench.cli import main
from prior_bench.data.checking import check as checking
from prior_bench.data.checking.examine import Examined
from prior_bench.data.splitting.fractions import training_part
from prior_bench.data.tables import listed_images
from prior_bench.metrics.segmentation import Counts, trivial
from prior_bench.suites import protocols

RSNA_ZIP = "kaggle_stage_2_train_labels.csv.zip"


@pytest.fixture
def no_images(monkeypatch, tmp_path):
    """All images count as present, and none is looked at."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(listed_images, "present", lambda root, names: np.ones(len(list(names)), bool))
    monkeypatch.setattr(checking, "examine", lambda manifest, **how: [Examined()] * len(manifest))


def checked(capsys, *arguments) -> list[str]:
    """What the command finds and prints."""
    main(["data", "check", *map(str, arguments)])
    out = capsys.readouterr().out
    return [
        line for line in out.splitlines() if line.startswith(("note: ", "remark: ", "problem: ", "verdict: "))
    ]


# --- what data check prints ---


def test_check_of_rsna_confirms_every_published_count(no_images, real_annotations, tmp_path, capsys):
    (tmp_path / "stage_2_train_labels.csv.zip").symlink_to(real_annotations / RSNA_ZIP)
    whole = ["images: 26,684", "positive: Pneumonia: 6,012", "boxes: 9,555"]
    rules = {
        "mgca_classification": ["images: 18,678/4,003/4,003", "positive: Pneumonia: 4,162/928/922"],
        "mgca_detection": [
            "images: 16,010/5,337/5,337",
            "positive: Pneumonia: 3,579/1,182/1,251",
            "boxes: 5,678/1,892/1,985",
        ],
    }
    for rule, counts in rules.items():
        lines = checked(capsys, f"rsna_pneumonia@{tmp_path}", "--split", rule)
        assert lines == [
            *(f"note: {count}, as published" for count in counts + whole),
            "verdict: rsna_pneumonia is usable",
        ]


def test_check_of_siim_finds_the_images_that_mgca_splits_between_parts(
    no_images, real_annotations, tmp_path, capsys
):
    place = tmp_path / "train-rle.csv.gz"
    place.symlink_to(real_annotations / "siim-pneumothorax-train-rle.csv.gz")
    lines = checked(capsys, f"siim_acr@{tmp_path}", "--split", "mgca")
    assert "note: images: 8,578/1,910/1,903, as published" in lines
    assert "note: positive: Pneumothorax: 2,002/535/476, as published" in lines
    found = [line.partition(", e.g.")[0] for line in lines if line.startswith("problem")]
    assert found == [
        f"problem: {count} {what} are in {one} and in {other}"
        for what in ("patients", "images")
        for count, one, other in ((161, "train", "valid"), (154, "train", "test"), (62, "valid", "test"))
    ]
    assert lines[-1].startswith("verdict: siim_acr is not usable: 6 problems")


@pytest.fixture
def chexpert_root(real_annotations, tmp_path):
    """The real train.csv; valid.csv is not in the wheel, so that one of its size stands in for it."""
    (tmp_path / "train.csv.gz").symlink_to(real_annotations / "chexpert_train.csv.gz")
    views = ["view1_frontal.jpg"] * 202 + ["view2_lateral.jpg"] * 32
    rows = [
        chexpert_line(f"CheXpert-v1.0/valid/patient{n}/study1/{v}", Edema=n % 2) for n, v in enumerate(views)
    ]
    write_text(tmp_path / "valid.csv", "\n".join([CHEXPERT_HEADER, *rows]))
    return tmp_path


@pytest.mark.slow
def test_check_of_chexpert_finds_the_rows_that_mgca_validates_and_trains_on(no_images, chexpert_root, capsys):
    lines = checked(capsys, f"chexpert@{chexpert_root}", "--split", "mgca", "--set", "views=all")
    found = [line.partition(", e.g.")[0] for line in lines if line.startswith("problem")]
    assert "problem: 4907 images are in train and in valid" in found
    assert "problem: 4566 patients are in train and in valid" in found
    assert not any("test" in line for line in found if "are in" in line)


@pytest.mark.slow
def test_check_of_chexpert_confirms_the_published_counts(no_images, chexpert_root, capsys):
    lines = checked(capsys, f"chexpert@{chexpert_root}", "--split", "mgca")
    assert "note: images: 185,771/4,284/202, as published" in lines


@pytest.fixture
def nih_root(real_annotations, tmp_path):
    """The real tables; the official lists are not in the wheel, so that lists of their sizes stand in."""
    for name in ("Data_Entry_2017_v2020.csv.gz", "BBox_List_2017.csv.gz"):
        (tmp_path / name).symlink_to(real_annotations / name)
    with gzip.open(tmp_path / "Data_Entry_2017_v2020.csv.gz", "rt") as stream:
        names = [line.partition(",")[0] for line in stream][1:]
    write_text(tmp_path / "train_val_list.txt", "\n".join(names[:86_524]))
    write_text(tmp_path / "test_list.txt", "\n".join(names[86_524:]))
    return tmp_path


@pytest.mark.slow
def test_check_of_nih_confirms_images_and_patients(no_images, nih_root, capsys):
    lines = checked(capsys, f"nih_chestxray14@{nih_root}")
    assert {"note: images: 112,120, as published", "note: patients: 30,805, as published"} <= set(lines)


def test_check_of_nih_counts_the_boxes(no_images, nih_root, capsys):
    options = ["--split", "boxes_by_patient", "--set", "boxes=True"]
    main(["data", "check", f"nih_chestxray14@{nih_root}", *options])
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines() if line}
    assert sum(map(int, rows["boxes"])) == 984 and sum(map(int, rows["images"])) == 880


# --- label fractions, through the protocols ---


@pytest.mark.parametrize(
    ("protocol", "sizes"),
    [
        ("mgca/linear_rsna", [(187, 36), (1868, 414)]),
        ("mgca/segmentation_rsna", [(160, 32), (1601, 365)]),
    ],
)
def test_low_label_subsets_of_rsna(protocol, sizes, real_annotations):
    how = protocols.load(protocol)
    train = rsna(how.split["rule"], real_annotations).split("train")
    drawn = [training_part(train, how.fraction_sampler, share, seed=42) for share in (0.01, 0.1)]
    assert [(len(part), int(part.targets().sum())) for part in drawn] == sizes


# --- predicting nothing at all ---


def all_empty(manifest, side: int = 1024) -> dict[str, float]:
    """Metrics, in per cent, of empty masks against the real masks of the test split."""
    masks = manifest.split("test").table["mask"]
    area = np.array([np.count_nonzero(mask.decode(side, side)) for mask in masks])
    zero = np.zeros_like(area)
    names = ("dice_per_image_empty1", "dice_micro", "dice_positives", "mdice")
    found = trivial(Counts(zero, zero, area, side * side - area), names)["all_empty"]
    return {name: round(100 * value, 1) for name, value in found.items()}


def test_all_empty_dice_of_rsna(real_annotations):
    found = all_empty(rsna("mgca_detection", real_annotations))
    assert found == dict(dice_per_image_empty1=76.6, dice_micro=0.0, dice_positives=0.0, mdice=49.3)


def test_all_empty_dice_of_siim(real_annotations):
    found = all_empty(siim("mgca", real_annotations))
    assert found["dice_per_image_empty1"] == 75.0 and found["dice_micro"] == found["dice_positives"] == 0
