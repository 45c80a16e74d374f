"""What ``data check`` learns from decoding an image and its mask, and how it tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prior_bench.data.annotations.masks import decode_with_remarks
from prior_bench.data.images.remarks import ImageRemark, summarised
from prior_bench.data.manifest import SPLITS


@dataclass
class ReadRow:
    """The outcome of reading the files of one row.

    Attributes:
        problem: why a file cannot be read; empty if all can.
        remarks: guesses, each with the file that it is about.
        boxes_outside: whether a box extends beyond the image.
        inside: share of the image inside the mask; None without a mask.
    """

    problem: str = ""
    remarks: list[tuple[Path, ImageRemark]] = field(default_factory=list)
    boxes_outside: bool = False
    inside: float | None = None

    def look_at_mask(self, mask: Any, root: Path, height: int, width: int) -> None:
        """Decode a mask at the size of its image, and keep what it is like.

        Raises:
            BenchError: the mask cannot be read, or has another size.
        """
        pixels, said = decode_with_remarks(mask, height, width)
        file = root / getattr(mask, "path", "")
        self.remarks += [(file, remark) for remark in said]
        self.inside = float(pixels.mean())


def told(rows: Sequence[ReadRow]) -> tuple[list[str], list[str]]:
    """Return the problems and the remarks that concern all rows together."""
    shares = [row.inside for row in rows if row.inside is not None]
    problems = [f"all {len(shares)} masks are empty"] if shares and not any(shares) else []
    full = sum(share == 1 for share in shares)
    remarks = [f"{full} of {len(shares)} masks cover their whole image"] if full else []
    return problems, remarks + summarised(pair for row in rows for pair in row.remarks)


def empty_masks(rows: Sequence[ReadRow], splits: Sequence[str]) -> list[tuple[str, ...]]:
    """Return a line of counts of the masks that are empty, for each of train, valid and test; none without.

    Args:
        rows: in the order of the data set.
        splits: split of each row.
    """
    empty = [split for row, split in zip(rows, splits, strict=True) if row.inside == 0]
    return [("masks that are empty", *(str(empty.count(name)) for name in SPLITS))] if empty else []
