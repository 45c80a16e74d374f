"""Grounding uses no region for its maps, and the map of a phrase depends on its image and text alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from invariance import assert_equal, in_folder, rows_of, without
from planted_maps import quadrant_phrases

from prior_bench.metrics.grounding import PHRASE_GAIN
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.grounding import Grounding

TASK = Grounding()
PROTOCOL = protocols.load("clean/grounding_similarity")
VALUES = (*(name for name in PROTOCOL.metrics if name != PHRASE_GAIN), "miou_biovil", "share")
"""What a phrase and its image decide alone; the gain also depends on which other phrase the test set has."""


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return quadrant_phrases(tmp_path / "data", images=9)


def run(data, context, name, **options):
    protocol = replace(PROTOCOL, options={**PROTOCOL.options, **options})
    return TASK.run(mock_backbone(), data, protocol, in_folder(context, name))


def moved(data):
    """Every phrase has the region of the image's other phrase."""
    phrases = [
        tuple(replace(a, boxes=b.boxes) for a, b in zip(some, some[::-1], strict=True))
        for some in data.table["phrases"]
    ]
    return replace(data, table=data.table.assign(phrases=pd.Series(phrases, dtype=object)))


def test_regions_change_metrics_alone(data, context):
    first, other = run(data, context, "first"), run(moved(data), context, "other")
    assert_equal(first, other, ("id", "phrase", "example_row", "example_map"))
    assert first.metrics["pixel_auroc"] != other.metrics["pixel_auroc"]
    swapped = other.predictions["pixel_auroc"].reshape(-1, 2)
    assert not np.allclose(first.predictions["pixel_auroc"].reshape(-1, 2), swapped)


def test_training_and_validation_rows_change_nothing(data, context):
    table = data.table.assign(split=["train", "valid", *["test"] * 7])
    whole = run(replace(data, table=table), context, "whole")
    turned = table.copy()
    turned["phrases"] = [table["phrases"].iloc[5]] * 2 + table["phrases"].tolist()[2:]
    turned = turned[turned["split"] != "train"].reset_index(drop=True)
    other = run(replace(data, table=turned), context, "other")
    assert_equal(whole, other, ("id", *VALUES))
    assert whole.metrics == other.metrics and whole.trivial == other.trivial


def test_other_test_rows_change_no_map(data, context):
    whole, part = run(data, context, "whole"), run(without(data, "test"), context, "part")
    rows = rows_of(whole, part.predictions["id"])
    assert 0 < len(rows) < len(whole.predictions["id"])
    for name in VALUES:
        np.testing.assert_allclose(
            part.predictions[name], whole.predictions[name][rows], atol=1e-5, err_msg=name
        )


def test_other_phrases_of_an_image_change_no_map(data, context):
    """Each phrase is encoded by itself, whatever it is padded to."""
    longer = [
        (some[0], replace(some[1], text=f"{some[1].text} There are several old healed rib fractures too."))
        for some in data.table["phrases"]
    ]
    table = data.table.assign(phrases=pd.Series(longer, dtype=object))
    whole, other = run(data, context, "whole"), run(replace(data, table=table), context, "other")
    for name in VALUES:
        before, after = (result.predictions[name].reshape(-1, 2) for result in (whole, other))
        np.testing.assert_allclose(before[:, 0], after[:, 0], atol=1e-5, err_msg=name)
    assert not np.allclose(
        whole.predictions["cnr"].reshape(-1, 2)[:, 1], other.predictions["cnr"].reshape(-1, 2)[:, 1]
    )


def test_the_weights_decide(data, context):
    first = run(data, context, "first")
    other = TASK.run(mock_backbone(seed=1), data, PROTOCOL, in_folder(context, "other"))
    assert first.metrics != other.metrics and first.trivial == other.trivial
