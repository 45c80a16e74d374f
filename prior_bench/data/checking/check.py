"""The checks behind ``data check``: counts, unreadable files and patients shared between splits."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from tabulate import tabulate

from prior_bench.data.checking.counts import Published, beside, compare, counts
from prior_bench.data.checking.read_rows import ReadRow, empty_masks, told
from prior_bench.data.images.read import image_size, read_with_remarks
from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.data.texts.lengths import token_lengths
from prior_bench.errors import BenchError
from prior_bench.runtime import progress

SHOWN = 5
"""Largest number of unreadable files that are listed one by one."""


@dataclass
class CheckReport:
    """The outcome of a check.

    Attributes:
        counts: one row per quantity: its name, then its values for train, valid and test.
        published: published value of a quantity, by its name; shown next to its own counts.
        split: rule and hash of the split.
        problems: findings that make results wrong or runs fail.
        remarks: findings worth knowing that do not prevent a use of the data.
    """

    counts: list[tuple[str, ...]] = field(default_factory=list)
    published: dict[str, str] = field(default_factory=dict)
    split: dict = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    def text(self, name: str) -> str:
        """Return the report as text for the terminal."""
        head, rows = ["", *SPLITS], self.counts
        if self.published:
            head, rows = [*head, "published"], [(*row, self.published.get(row[0], "")) for row in rows]
        lines = [tabulate(rows, headers=head, tablefmt="simple", disable_numparse=True)]
        lines += ["", f"split rule '{self.split['rule']}', hash {self.split['hash']}"]
        lines += [f"remark: {remark}" for remark in self.remarks]
        lines += [f"problem: {problem}" for problem in self.problems]
        count = len(self.problems)
        verdict = "is sound" if self.sound else f"has {count} problem{'s' * (count > 1)}"
        return "\n".join([*lines, "", f"verdict: {name} {verdict}"])


def check(
    manifest: Manifest,
    *,
    decode: bool = True,
    workers: int | None = None,
    published: Published | None = None,
    tokenizer: str | None = None,
) -> CheckReport:
    """Check the counts, splits, labels and files of a manifest.

    Args:
        manifest: the data set.
        decode: whether to decode every image and mask, or to read image headers only.
        workers: number of threads; by default one per core.
        published: counts to compare with (``Card.published``). A difference is a remark and not a problem,
            because it may be due to another version of the data set.
        tokenizer: tokenizer that counts the tokens of reports, see
            :func:`prior_bench.data.texts.lengths.token_lengths`.

    Raises:
        BenchError: the tokenizer cannot be read.
    """
    lengths, said = token_lengths(manifest, tokenizer)
    known = beside(manifest.split_rule, published or {})
    report = CheckReport(counts(manifest, lengths), known, manifest.split_summary())
    report.remarks += list(manifest.notes)
    report.remarks += compare(manifest, published or {})
    report.remarks += [f"{count} images left out: {why}" for why, count in manifest.dropped.items()]
    report.remarks += said
    _check_splits(manifest, report)
    _check_labels(manifest, report)
    _check_phrases(manifest, report)
    _check_studies(manifest, report)
    _check_files(manifest, report, decode, workers or os.cpu_count() or 1)
    return report


def _check_splits(manifest: Manifest, report: CheckReport) -> None:
    for what, column in (("patients", "patient_id"), ("images", "image")):
        present = {s: set(manifest.table.loc[manifest.table["split"] == s, column]) for s in SPLITS}
        for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
            shared = present[one] & present[other]
            if shared:
                example = sorted(shared)[0]
                report.problems.append(f"{len(shared)} {what} are in {one} and in {other}, e.g. {example}")
    empty = [s for s in SPLITS if not (manifest.table["split"] == s).any()]
    if empty:
        report.remarks.append(f"no rows in {', '.join(empty)}")


def _check_labels(manifest: Manifest, report: CheckReport) -> None:
    values = manifest.targets() if manifest.labels else np.zeros((len(manifest), 0))
    for column, name in enumerate(manifest.labels):
        known = values[:, column][~np.isnan(values[:, column])]
        if len(np.unique(known)) < 2:
            report.problems.append(f"label '{name}' has only one value; nothing can be learnt or measured")
            continue
        for split in SPLITS:
            part = values[(manifest.table["split"] == split).to_numpy(), column]
            if len(part) and len(np.unique(part[~np.isnan(part)])) < 2:
                report.remarks.append(f"label '{name}' has only one value in {split}: its AUROC is undefined")
    if manifest.exclusive and not (np.nansum(values, axis=1) == 1).all():
        report.problems.append("labels are exclusive, but some images have no label or several")


def _check_phrases(manifest: Manifest, report: CheckReport) -> None:
    if not manifest.has("phrases"):
        return
    found = [
        f"{sample} {problem}"
        for sample, phrases in zip(manifest.table["id"], manifest.table["phrases"], strict=True)
        for problem in (phrase.problem() for phrase in phrases or ())
        if problem
    ]
    report.problems += found[:SHOWN]
    if len(found) > SHOWN:
        report.problems.append(f"... {len(found)} phrases cannot be used")


def _check_studies(manifest: Manifest, report: CheckReport) -> None:
    """Say where images that share a report would be taken for different studies."""
    if not manifest.has("reports") or "study_id" in manifest.table:
        return
    rows = manifest.table[manifest.table["report"].notna()]
    repeated = int(rows.duplicated(["patient_id", "report"], keep=False).sum())
    if repeated:
        report.remarks.append(
            f"{repeated} images share the report of another image of their patient, and each counts as a "
            "pair; with a column study_id, the images of a study are one pair"
        )


def _check_files(manifest: Manifest, report: CheckReport, decode: bool, workers: int) -> None:
    def examine(row: int) -> ReadRow:
        found = ReadRow()
        try:
            path = manifest.path(row)
            if decode:
                image, said = read_with_remarks(path)
                found.remarks += [(path, remark) for remark in said]
                height, width = image.shape
            else:
                height, width = image_size(path)
            mask = manifest.cell("mask", row) if decode and has_masks else None
            if mask is not None:
                found.look_at_mask(mask, manifest.root, height, width)
            phrases = manifest.cell("phrases", row) or () if has_phrases else ()
            for phrase in phrases if decode else ():
                if not phrase.problem() and not phrase.region(height, width).any():
                    raise BenchError(f"the region of the phrase '{phrase.text}' is empty", where=path)
        except BenchError as error:
            return ReadRow(problem=str(error).splitlines()[0])
        drawn = [phrase.box_array for phrase in phrases]
        if has_boxes and manifest.cell("boxes", row) is not None:
            drawn.append(manifest.cell("boxes", row)[:, :4])
        found.boxes_outside = any(bool((boxes > (width + 1, height + 1) * 2).any()) for boxes in drawn)
        return found

    has_masks, has_boxes = manifest.has("masks"), manifest.has("boxes")
    has_phrases = manifest.has("phrases")
    with ThreadPoolExecutor(workers) as pool:
        done = pool.map(examine, range(len(manifest)))
        rows = list(progress(done, "decoding" if decode else "reading headers", total=len(manifest)))
    broken = [row.problem for row in rows if row.problem]
    report.problems += broken[:SHOWN]
    if len(broken) > SHOWN:
        report.problems.append(f"... {len(broken)} of {len(manifest)} images or masks cannot be read")
    outside = sum(row.boxes_outside for row in rows)
    if outside:
        report.problems.append(f"{outside} images have boxes that extend beyond the image")
    problems, remarks = told(rows)
    report.problems += problems
    report.remarks += remarks
    report.counts += empty_masks(rows, list(manifest.table["split"]))
