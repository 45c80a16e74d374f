"""The annotations of sentences: in the form of MS-CXR, on what was drawn, in the words of the reports."""

import json
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from pycocotools import mask as coco

from prior_bench.sample.cohorts import SAMPLE
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import mimic_cxr, ms_cxr
from prior_bench.sample.reports.language import LABEL_OF, write_report
from prior_bench.sample.sizes import SIZES

SIZE = SIZES["tiny"]


@pytest.fixture(scope="module")
def content(tiny_sample):
    return json.loads((tiny_sample / "mimic_cxr" / ms_cxr.FILE).read_text())


def test_every_frontal_image_is_listed_with_its_split_and_file(content, tiny_sample):
    root = tiny_sample / "mimic_cxr"
    metadata, split = (pd.read_csv(root / f"mimic-cxr-2.0.0-{n}.csv.gz") for n in ("metadata", "split"))
    frontal = metadata[metadata["ViewPosition"] != "LATERAL"]
    listed = {image["file_name"].removesuffix(".jpg"): image for image in content["images"]}
    assert set(listed) == set(frontal["dicom_id"]) and len(listed) == len(content["images"])
    for row in split[split["dicom_id"].isin(frontal["dicom_id"])].itertuples():
        image = listed[row.dicom_id]
        assert image["split"] == row.split and (root / image["path"]).is_file()
        assert image["width"] == image["height"] == SIZE.side
    counts = Counter(annotation["image_id"] for annotation in content["annotations"])
    assert all(counts[image["id"]] == image["num_annotations"] for image in content["images"])
    assert [a["id"] for a in content["annotations"]] == list(range(1, len(content["annotations"]) + 1))


def test_boxes_and_pixels_of_a_sentence_are_those_of_its_finding(content):
    images = {image["file_name"].removesuffix(".jpg"): image["id"] for image in content["images"]}
    names = {category["id"]: category["name"] for category in content["categories"]}
    seen = Counter()
    for patient in mimic_cxr.cohort(SIZE, SAMPLE):
        for study in patient.studies:
            about = dict(write_report(patient, study).grounded)
            for i, view in enumerate(study.views):
                if view.position == "LATERAL":
                    continue
                number = images[mimic_cxr.dicom_id(patient, study, i)]
                found = [a for a in content["annotations"] if a["image_id"] == number]
                assert {a["label_text"] for a in found} == set(about)
                drawn = {d.finding: d for d in render(patient, study, view, SIZE.side).drawn}
                for text, finding in about.items():
                    own = [a for a in found if a["label_text"] == text]
                    assert {names[a["category_id"]] for a in own} == {LABEL_OF[finding.kind]}
                    x, y, w, h = np.array([a["bbox"] for a in own]).T
                    boxes = np.stack((x, y, x + w, y + h), axis=1)
                    np.testing.assert_array_equal(boxes, drawn[finding].boxes)
                    masks = np.stack([coco.decode(a["segmentation"]) for a in own]).astype(bool)
                    assert [m.sum() for m in masks] == [a["area"] for a in own]
                    assert not (masks.any(axis=0) & ~drawn[finding].mask).any()
                    assert masks.sum() >= 0.75 * drawn[finding].mask.sum(), "but for crumbs"
                    seen[finding.side, len(own)] += 1
    assert seen["bilateral", 2] and seen["right", 1], "both lungs, two boxes"
