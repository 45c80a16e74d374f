"""The data sets that only the papers' suites need, and the lists: as the real readers find them."""

import hashlib
import shutil
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.checking.check import check
from prior_bench.data.open import open_dataset
from prior_bench.data.readers import covidx, nih_chestxray14, object_cxr
from prior_bench.data.readers.vindr_cxr import reader as vindr_cxr
from prior_bench.registry import DATASETS
from prior_bench.sample import FOLDERS, OPTIONS, VERSION, sample_root
from prior_bench.sample.cohorts import SAMPLE
from prior_bench.sample.drawing.render import render
from prior_bench.sample.generate import FURTHER, WRITERS, add
from prior_bench.sample.layouts import covidx as write_covidx
from prior_bench.sample.layouts import nih_chestxray14 as write_nih_chestxray14
from prior_bench.sample.layouts import object_cxr as write_object_cxr
from prior_bench.sample.layouts import vindr_cxr as write_vindr_cxr
from prior_bench.sample.lists import MAKERS
from prior_bench.sample.sizes import SIZES

SIZE = SIZES["tiny"]


def content(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def sample(tiny_sample, tmp_path_factory):
    """The tiny sample benchmark under the data root, all data sets and lists asked for once."""
    root = tmp_path_factory.mktemp("root")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRIOR_BENCH_DATA", str(root))
        patch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
        folder = shutil.copytree(tiny_sample, root / f"sample-{VERSION}-tiny")
        before = content(folder)
        for name in FOLDERS:
            sample_root(name)
        yield folder, before


def test_further_data_sets_leave_the_first_ones_byte_by_byte_as_they_were(sample):
    folder, before = sample
    after = content(folder)
    assert {name: after[name] for name in before} == before
    added = {name.partition("/")[0] for name in set(after) - set(before)}
    assert added == {*FURTHER, *WRITERS}, "of the first ones: lists only"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_the_same_bytes_every_time(sample, tmp_path):
    folder, _ = sample
    for name in FURTHER:
        again = content(add(tmp_path / "sample", name, "tiny"))
        whole = content(folder / name)
        assert again and again == {file: whole[file] for file in again}, name


def test_lists_are_written_again_where_they_are_missing_and_left_alone_where_they_are(sample):
    folder, _ = sample
    for name, (home, files, _) in MAKERS.items():
        place = folder / FOLDERS[name] / home / files[0]
        text = place.read_text()
        place.unlink()
        sample_root(name)
        assert place.read_text() == text
        place.write_text("mine")
        sample_root(name)
        assert place.read_text() == "mine"
        place.write_text(text)


READ = {
    "covidx": covidx.RULES.keys() - {"benchx"},
    "object_cxr": object_cxr.RULES,
    "nih_chestxray14": nih_chestxray14.RULES.keys() - {"boxes_by_patient"},
    "vindr_cxr": vindr_cxr.RULES,
    "rsna_pneumonia": ["lovt"],
    "siim_acr": ["lovt"],
}


@pytest.mark.parametrize(
    "name, rule", [(name, rule) for name, rules in READ.items() for rule in sorted(rules)]
)
def test_every_split_rule_of_the_papers_works(sample, name, rule):
    data = open_dataset(f"sample:{name}", split=rule)
    assert data.synthetic and all(len(data.split(part)) for part in ("train", "valid", "test"))
    assert all(data.path(row).is_file() for row in range(len(data)))
    if rule not in ("mgca", "official"):  # rows drawn, or parts as they are: classes may be missing
        patients = data.table.groupby("patient_id")["split"].nunique()
        assert (patients == 1).all()


def test_every_label_is_common_at_the_default_size():
    size = SIZES["default"]
    classes = Counter(map(write_covidx.class_of, write_covidx.cohort(size, SAMPLE)))
    assert min(classes.values()) >= 80 and len(classes) == 3
    objects = [p.studies[0].has("foreign_object") for p in write_object_cxr.cohort(size, SAMPLE)]
    assert 0.4 < np.mean(objects) < 0.6
    studies = [study for patient in write_nih_chestxray14.cohort(size, SAMPLE) for study in patient.studies]
    found = Counter(name for study in studies for name in write_nih_chestxray14.findings_of(study))
    assert min(found[name] for name in OPTIONS["nih_chestxray14"]["labels"]) >= 20
    assert found.keys() == set(OPTIONS["nih_chestxray14"]["labels"])
    seen = Counter(
        write_vindr_cxr.NAMES.get(finding.kind)
        for patient in write_vindr_cxr.cohort(size, SAMPLE)
        for finding in patient.studies[0].findings
    )
    assert min(seen[name] for name in write_vindr_cxr.NAMES.values()) >= 15


def test_covidx_has_both_versions_side_by_side(sample):
    three = open_dataset("sample:covidx", split="mgca")
    assert "9A (three classes" in three.notes[0] and three.exclusive
    two = covidx.read(sample_root("covidx"), version="unnamed", split="benchx")
    assert two.labels == ("COVID-19",) and not two.exclusive
    both = three.table.drop_duplicates("image").merge(two.table, on="image", suffixes=("", "_two"))
    assert len(both) > 15 and (both["COVID-19"] == both["COVID-19_two"]).all()
    assert set(three.table["source"]) == {"rsna", "bimcv"}


def test_covid_shows_in_both_lungs_and_pneumonia_in_one():
    sides = {"COVID-19": {"bilateral"}, "pneumonia": {"left", "right"}, "normal": set()}
    for patient in write_covidx.cohort(SIZES["default"], SAMPLE):
        found = {f.side for f in patient.studies[0].findings if f.kind == "consolidation"}
        assert found <= sides[write_covidx.class_of(patient)]
    assert check(open_dataset("sample:covidx")).usable


def test_outlines_of_objects_lie_on_the_objects(sample):
    data = open_dataset("sample:object_cxr", split="official")
    columns = zip(data.table["id"], data.table["mask"], strict=True)
    masks = {name: (mask.decode(SIZE.side, SIZE.side) > 0, mask) for name, mask in columns}
    tools = Counter()
    for patient in write_object_cxr.cohort(SIZE, SAMPLE):
        study, number = patient.studies[0], f"{patient.number + 1:05d}"
        image = render(patient, study, study.views[0], SIZE.side)
        outline, shapes = next(value for i, value in masks.items() if i.endswith(number))
        drawn = image.mask("foreign_object")
        assert outline.any() == drawn.any()
        if drawn.any():
            assert (outline & drawn).sum() >= 0.9 * drawn.sum(), "an outline encloses its object"
            tools.update(kind for kind, _ in shapes.shapes)
    assert set(tools) == {"rectangle", "ellipse", "polygon"}
    assert data.targets().sum() == sum(outline.any() for outline, _ in masks.values())


def test_nih_boxes_belong_to_findings_of_their_images(sample):
    root = sample_root("nih_chestxray14")
    data = nih_chestxray14.read(root, boxes=True, split="boxes_by_patient")
    assert 0 < len(data) < len(open_dataset("sample:nih_chestxray14"))
    for boxes, labels in zip(data.table["boxes"], data.targets(), strict=True):
        assert len(boxes)
        for *corners, kind in boxes:
            assert labels[list(nih_chestxray14.FOURTEEN).index(nih_chestxray14.BOXED[int(kind)])] == 1
            assert 0 <= min(corners) and max(corners) <= SIZE.side
    raw = pd.read_csv(root / "Data_Entry_2017.csv")
    several = raw["Patient ID"].value_counts()
    assert several.max() > 1 and raw["Finding Labels"].eq("No Finding").any()


def test_a_severe_consolidation_is_called_pneumonia_and_a_mild_one_infiltration():
    for patient in write_nih_chestxray14.cohort(SIZE, SAMPLE):
        for study in patient.studies:
            names = write_nih_chestxray14.findings_of(study)
            severe = [f.severity > 0.5 for f in study.findings if f.kind == "consolidation"]
            assert ("Pneumonia" in names) == (True in severe)
            assert ("Infiltration" in names) == (False in severe)


def test_vindr_readers_differ_and_their_boxes_fuse_to_what_was_drawn(sample):
    root = sample_root("vindr_cxr")
    labels = pd.read_csv(root / "annotations/image_labels_train.csv")
    assert (labels.groupby("image_id")["rad_id"].nunique() == 3).all()
    findings = labels.drop(columns=["image_id", "rad_id"])
    disagree = findings.groupby(labels["image_id"]).nunique().gt(1).any(axis=1)
    assert 0.1 < disagree.mean() < 0.9
    data = open_dataset("sample:vindr_cxr")
    boxes = dict(zip(data.table["id"], data.table["boxes"], strict=True))
    near = []
    for patient in write_vindr_cxr.cohort(SIZE, SAMPLE):
        study, name = (
            patient.studies[0],
            write_vindr_cxr.digest("vindr_cxr", *write_vindr_cxr.who(patient))[:32],
        )
        for drawn in render(patient, study, study.views[0], SIZE.side).drawn:
            if drawn.finding.kind == "cardiomegaly":
                near.append(max((_iou(drawn.boxes[0], box[:4]) for box in boxes[name]), default=0.0))
    assert len(near) > 2 and np.median(near) > 0.85


def _iou(one, other):
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = np.prod(np.clip(high - low, 0, None))
    return shared / (np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2]) - shared)


def test_parts_of_labels_lie_within_train_and_have_their_size(sample):
    from prior_bench.data.splitting.fractions import training_part

    for name, options in (("nih_chestxray14", {}), ("vindr_cxr", {}), ("covidx", {"version": "unnamed"})):
        data = DATASETS.get(name)(sample_root(name), split="benchx", **options)
        train = data.split("train")
        for share in (0.01, 0.1):
            part = training_part(train, {"by": "listed:benchx"}, share, 0)
            assert len(part) == max(2, round(share * len(train)))


def test_5x200_lists_are_read(sample):
    listed = open_dataset("sample:chexpert_5x200", split="prior_list")
    assert (listed.targets().sum(axis=1) == 1).all() and len(set(listed.targets().sum(axis=0))) == 1
    mimic = open_dataset("sample:mimic_5x200", split="benchx")
    assert len(mimic) >= 5 and set(mimic.table["split"]) == {"test"} and mimic.has("reports")
