"""Remarks on an image or mask that was read with a guess: short texts of a fixed set of kinds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

KINDS = {
    "alpha": "transparency was left out, or read as the mask",
    "bits": "values do not fit the number of bits that the header states",
    "colour": "colours of a mask do not tell inside from outside, and its palette indices were read",
    "levels": "a mask with more than two grey levels",
    "name": "the name of the file says another format than its content",
    "non_finite": "values that are no numbers",
    "orientation": "the header names an unknown orientation, or one that was not applied",
    "padding": "a padding value lies among the values of the picture and was read as one of them",
    "pages": "one of several pages or frames was read",
    "polarity": "the header contradicts itself on what is white",
    "range": "few of the 256 grey levels are used",
    "window": "a window of the header shows next to nothing and was left out, or clips most of the picture",
}
"""Kinds of remarks, with what they are about; docs/images.md has the table."""


@dataclass(frozen=True)
class ImageRemark:
    """Something about an image or mask that was guessed, or looks wrong.

    Attributes:
        kind: a name in :data:`KINDS`.
        text: what was found and done, without the name of the file.
    """

    kind: str
    text: str

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"'{self.kind}' is no kind of remark")


def summarised(found: Iterable[tuple[Path, ImageRemark]]) -> list[str]:
    """Return one line per kind: the number of files, and the first file with its remark.

    Args:
        found: files and the remarks on them, in the order of the data set.
    """
    by_kind: dict[str, dict[Path, str]] = {}
    for path, remark in found:
        by_kind.setdefault(remark.kind, {}).setdefault(path, remark.text)
    lines = []
    for kind in sorted(by_kind):
        files = by_kind[kind]
        path, text = next(iter(files.items()))
        count = f"{len(files)} files" if len(files) > 1 else "1 file"
        lines.append(f"{count}: {KINDS[kind]}; {'the first is ' if len(files) > 1 else ''}{path}: {text}")
    return lines
