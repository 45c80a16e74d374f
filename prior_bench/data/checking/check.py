"""The check behind ``data check``: what a data set holds, and whether it is usable."""

from __future__ import annotations

from prior_bench.data.checking import content, pixels
from prior_bench.data.checking.counts import Published, beside, compare, counts
from prior_bench.data.checking.described import described
from prior_bench.data.checking.examine import examine
from prior_bench.data.checking.findings import CheckReport, DataFinding
from prior_bench.data.manifest import Manifest
from prior_bench.data.texts.lengths import token_lengths


def check(
    manifest: Manifest,
    *,
    decode: bool = True,
    near: bool = False,
    workers: int | None = None,
    published: Published | None = None,
    tokenizer: str | None = None,
) -> CheckReport:
    """Check the counts, splits, labels and files of a manifest.

    Args:
        manifest: the data set.
        decode: whether to decode every image and mask, or to read image headers only.
        near: whether to look for near-identical images in two splits as well.
        workers: number of threads; by default one per core.
        published: counts to compare with (``Card.published``). A difference is a remark and not a problem,
            because it may be due to another version of the data set.
        tokenizer: tokenizer that counts the tokens of reports, see
            :func:`prior_bench.data.texts.lengths.token_lengths`.

    Raises:
        BenchError: the tokenizer cannot be read.
    """
    lengths, said = token_lengths(manifest, tokenizer)
    facts = examine(manifest, decode=decode, near=near, workers=workers)
    rows = [*counts(manifest, lengths), *described(manifest, facts)]
    known = beside(manifest.split_rule, published or {})
    report = CheckReport(rows, known, manifest.split_summary(), dict(manifest.columns))
    report.findings = [
        *(DataFinding("remark", note, kind="reader") for note in manifest.notes),
        *(
            DataFinding("note" if agrees else "remark", line, kind="published")
            for line, agrees in compare(manifest, published or {})
        ),
        *(
            DataFinding("remark", f"{count} images left out: {why}", count, kind="left out")
            for why, count in manifest.dropped.items()
        ),
        *(DataFinding("note", line, kind="tokens") for line in said),
        *content.check_splits(manifest),
        *content.check_patients(manifest),
        *content.check_labels(manifest),
        *content.check_boxes(manifest),
        *content.check_phrases(manifest),
        *content.check_studies(manifest),
        *pixels.check_files(manifest, facts),
        *pixels.check_guesses(facts),
        *pixels.check_constant(manifest, facts),
        *pixels.check_masks(manifest, facts),
        *pixels.check_same_images(manifest, facts),
        *pixels.check_near_images(manifest, facts),
    ]
    return report
