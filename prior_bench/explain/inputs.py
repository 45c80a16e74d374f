"""The inputs of an explanation: reports, images with reports, and texts for a method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from prior_bench.api import TextBatch
from prior_bench.data.manifest import Manifest


def has_report(manifest: Manifest) -> np.ndarray:
    """Return which samples have a report with at least one sentence, bool [rows]."""
    table = manifest.table
    reports = table["report"] if "report" in table else [None] * len(table)
    return np.array([isinstance(report, tuple) and len(report) > 0 for report in reports], bool)


def with_report(manifest: Manifest, split: str) -> Manifest:
    """Return the first image of each study with a report in a split; the result may be empty."""
    part = manifest.select(has_report(manifest) & (manifest.table["split"] == split).to_numpy())
    if "study_id" not in part.table:
        return part
    return part.select(~part.table["study_id"].astype(str).duplicated().to_numpy())


def training_reports(manifest: Manifest) -> list[tuple[str, ...]]:
    """Return the reports of the training split, one per study."""
    part = with_report(manifest, "train")
    return list(part.table["report"]) if len(part) else []


def report_of(manifest: Manifest, row: int) -> tuple[str, ...]:
    """Return the report of a sample that has one."""
    return cast(tuple[str, ...], manifest.table["report"].iat[row])


def tokenised(method: Any, texts: Sequence[tuple[str, ...]], device: str) -> TextBatch:
    """Tokenise texts, each a tuple of sentences, for the method's text encoder."""
    return method.text_encoder.tokenizer(list(texts)).to(device)
