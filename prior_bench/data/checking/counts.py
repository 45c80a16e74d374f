"""Count the content of a data set per split, and compare the counts with published ones."""

from __future__ import annotations

from collections.abc import Mapping

from prior_bench.data.manifest import SPLITS, Manifest

Published = dict[str, dict[str, tuple[int, ...]]]
"""Split rule to quantity to (train, valid, test); the rule ``"all"`` holds one total per quantity."""
BOXED = "images annotated with boxes"
"""Quantity that is counted where some images are not annotated."""


def quantities(part: Manifest, lengths: Mapping[tuple[str, ...], int] | None = None) -> dict[str, int]:
    """Count everything that can be counted in a data set or a part of it.

    Args:
        part: manifest whose content is counted.
        lengths: number of tokens of each report, if tokens are to be counted.

    Returns:
        Counts by the name of the quantity.
    """
    table = part.table
    found = {"images": len(part), "patients": table["patient_id"].nunique()}
    found |= {f"positive: {name}": int((table[name] == 1).sum()) for name in part.labels}
    if "boxes" in table:
        annotated = table["boxes"].dropna()
        found["boxes"] = sum(map(len, annotated))
        if len(annotated) < len(table):
            found[BOXED] = len(annotated)
    if "mask" in table:
        found["masks annotated"] = int(table["mask"].notna().sum())
    if "phrases" in table:
        phrases = [phrase for some in table["phrases"].dropna() for phrase in some]
        found["phrases"] = len(phrases)
        found["boxes of phrases"] = sum(len(phrase.boxes) for phrase in phrases)
        found["masks of phrases"] = sum(phrase.mask is not None for phrase in phrases)
    if "report" in table:
        reports = table["report"].dropna()
        if "study_id" in table:
            found["reports"] = table.loc[table["report"].notna(), "study_id"].nunique()
        found["images with report"] = len(reports)
        found["sentences"] = sum(map(len, reports))
        found["words"] = sum(len(" ".join(report).split()) for report in reports)
        if lengths:
            found["tokens"] = sum(lengths[report] for report in reports)
    return found


def counts(manifest: Manifest, lengths: Mapping[tuple[str, ...], int] | None = None) -> list[tuple[str, ...]]:
    """Return one row per quantity: its name, then its values for train, valid and test as text."""
    parts = _parts(manifest)
    found = [quantities(part, lengths) for part in parts]
    if any(BOXED in part for part in found):  # maybe all images of a part are annotated, and of another not
        found = [{**part, BOXED: part.get(BOXED, part["images"])} for part in found]
    rows = []
    for name in found[0]:
        cells = [str(part[name]) for part in found]
        if name.startswith("positive: "):
            unknown = [int(part.table[name.removeprefix("positive: ")].isna().sum()) for part in parts]
            cells = [f"{c} ({u} unknown)" if u else c for c, u in zip(cells, unknown, strict=True)]
        rows.append((name, *cells))
        if name in ("sentences", "words", "tokens"):
            rows.append((f"{name} a report", *(_mean(p[name], p["images with report"]) for p in found)))
    return rows


def compare(manifest: Manifest, published: Published) -> list[tuple[str, bool]]:
    """Return, per published quantity, a line with its count here, and whether the published count agrees."""
    by_rule = {manifest.split_rule: [quantities(part) for part in _parts(manifest)]}
    by_rule["all"] = [quantities(manifest)]
    lines = []
    for rule, found in by_rule.items():
        for name, expected in published.get(rule, {}).items():
            here = tuple(part.get(name, 0) for part in found)
            verdict = "as published" if here == expected else f"published are {_slashed(expected)}"
            lines.append((f"{name}: {_slashed(here)}, {verdict}", here == expected))
    return lines


def beside(rule: str, published: Published) -> dict[str, str]:
    """Return the published counts by quantity as text: those of the split rule, else those of the whole."""
    whole = {name: f"{_slashed(values)} in all" for name, values in published.get("all", {}).items()}
    return whole | {name: _slashed(values) for name, values in published.get(rule, {}).items()}


def _parts(manifest: Manifest) -> list[Manifest]:
    return [manifest.select((manifest.table["split"] == name).to_numpy()) for name in SPLITS]


def _mean(total: int, count: int) -> str:
    return f"{total / count:.1f}" if count else "-"


def _slashed(values: tuple[int, ...]) -> str:
    return "/".join(f"{value:,}" for value in values)
