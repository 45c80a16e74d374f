"""Locations of the findings that the reports describe, in the format of MS-CXR (Boecking et al. 2022).

It is a COCO file. An annotation is a box with the sentence of the report (``label_text``); a finding with
several parts has several boxes with the same sentence. In addition to MS-CXR, every annotation has the pixels
of its part (``segmentation``, COCO run lengths), and every image its part of the data set (``split``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as coco

from prior_bench.sample.drawing.findings import parts
from prior_bench.sample.drawing.render import Radiograph
from prior_bench.sample.layouts import Record
from prior_bench.sample.reports.language import LABEL_OF, Report

FILE = "ms_cxr/MS_CXR_Local_Alignment_v1.0.0.json"
"""Path of the file within the folder of MIMIC-CXR."""
CATEGORIES = {name: number for number, name in enumerate(sorted(LABEL_OF.values()), 1)}


def ground(path: str, split: str, image: Radiograph, report: Report) -> Record:
    """Return the entry of a frontal image and the annotations of its report's sentences, without ids.

    Args:
        path: path of the image within the data set.
        split: its part of the data set.
        image: the image with its findings.
        report: the report of its study.
    """
    regions = {drawn.finding: _regions(drawn.mask) for drawn in image.drawn}
    height, width = image.pixels.shape
    entry = {"file_name": path.rpartition("/")[2], "path": path, "width": width, "height": height}
    annotations = [
        {"category_id": CATEGORIES[LABEL_OF[finding.kind]], "label_text": sentence, **region}
        for sentence, finding in report.grounded
        for region in regions[finding]
    ]
    return {"image": {**entry, "split": split}, "annotations": annotations}


def _regions(mask: np.ndarray) -> list[dict[str, Any]]:
    regions = []
    for (x1, y1, x2, y2), own in parts(mask):
        runs = coco.encode(np.asfortranarray(own, dtype=np.uint8))
        regions.append(
            {
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": int(own.sum()),
                "segmentation": {"size": list(own.shape), "counts": runs["counts"].decode("ascii")},
            }
        )
    return regions


def write(root: Path, grounded: Sequence[Record]) -> None:
    """Write the file, with ids from 1 in the order given."""
    images: list[Record] = []
    annotations: list[Record] = []
    for number, record in enumerate(grounded, 1):
        found = record["annotations"]
        images.append({"id": number, **record["image"], "num_annotations": len(found)})
        size = {"width": record["image"]["width"], "height": record["image"]["height"], "iscrowd": 0}
        for annotation in found:
            annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation, **size})
    content = {
        "info": {"description": "SYNTHETIC: sentences of computed reports on computed radiographs"},
        "licenses": [],
        "categories": [{"id": number, "name": name} for name, number in CATEGORIES.items()],
        "images": images,
        "annotations": annotations,
    }
    place = root / FILE
    place.parent.mkdir()
    place.write_text(json.dumps(content) + "\n")
