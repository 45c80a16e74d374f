"""How much of what a data set holds, per split, and how that compares with what was published."""

from __future__ import annotations

import numpy as np

from prior_bench.data.manifest import SPLITS, Manifest

Published = dict[str, dict[str, tuple[int, ...]]]
"""Split rule to quantity to (train, valid, test); the rule ``"all"`` holds one total per quantity."""


def counts(manifest: Manifest) -> list[tuple[str, ...]]:
    """One row per quantity: its name, then a text for each of train, valid, test."""
    parts = [manifest.select((manifest.table["split"] == s).to_numpy()) for s in SPLITS]
    rows: list[tuple[str, ...]] = [
        ("images", *(str(len(p)) for p in parts)),
        ("patients", *(str(p.table["patient_id"].nunique()) for p in parts)),
    ]
    for name in manifest.labels:
        cells = []
        for part in parts:
            values = part.table[name].to_numpy(float)
            unknown = int(np.isnan(values).sum())
            cells.append(f"{int((values == 1).sum())}" + (f" ({unknown} unknown)" if unknown else ""))
        rows.append((f"positive: {name}", *cells))
    if manifest.has("boxes"):
        rows.append(("boxes", *(str(sum(len(b) for b in p.table["boxes"])) for p in parts)))
    if manifest.has("masks"):
        rows.append(("masks annotated", *(str(int(p.table["mask"].notna().sum())) for p in parts)))
    if manifest.has("reports"):
        reports = [p.table.loc[p.table["report"].notna(), "report"] for p in parts]
        rows.append(("images with report", *(str(len(r)) for r in reports)))
        rows.append(("sentences", *(str(sum(map(len, r))) for r in reports)))
        rows.append(
            (
                "sentences a report",
                *(f"{np.mean([len(t) for t in r]):.1f}" if len(r) else "-" for r in reports),
            )
        )
        words = [[len(" ".join(t).split()) for t in r] for r in reports]
        rows.append(("words", *(str(sum(w)) for w in words)))
        rows.append(("words a report", *(f"{np.mean(w):.1f}" if w else "-" for w in words)))
    return rows


def compare(manifest: Manifest, published: Published) -> list[str]:
    """One line per published quantity of the manifest's split rule: confirmed, or what differs."""
    found = {
        row[0]: tuple(int(cell.split()[0]) for cell in row[1:]) for row in counts(manifest) if _whole(row)
    }
    totals = {name: (sum(cells),) for name, cells in found.items()}
    totals["patients"] = (manifest.table["patient_id"].nunique(),)
    lines = []
    for rule, here in ((manifest.split_rule, found), ("all", totals)):
        for name, expected in published.get(rule, {}).items():
            what = f"{name}: {_slashed(here.get(name, (0,) * len(expected)))}"
            if here.get(name) == expected:
                lines.append(f"{what}, as published")
            else:
                lines.append(f"{what}, published are {_slashed(expected)}")
    return lines


def _whole(row: tuple[str, ...]) -> bool:
    return all(cell.split()[0].isdigit() for cell in row[1:])


def _slashed(values: tuple[int, ...]) -> str:
    return "/".join(f"{value:,}" for value in values)
