"""The bytes that a column contributes to the fingerprint of a data set: each cell as Python prints it.

Fingerprints are in the keys of stored results, so that these bytes must never change. Columns of text,
numbers and reports are printed by Arrow, many rows at once; what Arrow would print otherwise, Python prints.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from prior_bench.data.texts.report_column import ReportColumn

ROWS = 1 << 15
"""Rows that are printed at once."""
PLAIN = r"^[ -&(-\[\]-~]*$"
"""Texts that Python prints as they are between apostrophes: ASCII without apostrophe, backslash, controls."""


def printed(column: pd.Series) -> Iterator[bytes]:
    """Yield the bytes of a column: of each array its own, of any other cell its ``repr``."""
    for start in range(0, len(column), ROWS):
        part = column.iloc[start : start + ROWS]
        found = _at_once(part)
        yield _one_by_one(part) if found is None else found


def _one_by_one(part: pd.Series) -> bytes:
    return b"".join(v.tobytes() if isinstance(v, np.ndarray) else repr(v).encode() for v in part)


def _at_once(part: pd.Series) -> bytes | None:
    """Return the bytes of some rows, or None where they must be printed one by one."""
    values = part.array
    if isinstance(values, ReportColumn):
        return _reports(values.arrow(slice(None)), part)
    if isinstance(part.dtype, np.dtype) and part.dtype.kind in "biuf" and part.dtype.itemsize <= 8:
        return _numbers(part)
    if str(part.dtype) == "str":
        return _texts(part)
    return None


def _numbers(part: pd.Series) -> bytes:
    bits = part.to_numpy()
    if bits.dtype.kind == "f":  # 0.0 and -0.0 are equal and print differently
        bits = bits.view(f"u{bits.dtype.itemsize}")
    _, first, place = np.unique(bits, return_index=True, return_inverse=True)
    some = pa.array([repr(value) for value in part.iloc[first]], pa.large_string())
    return _joined(some.take(pa.array(place)))


def _texts(part: pd.Series) -> bytes:
    found = pa.array(part, pa.large_string())
    values = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    plain = pc.fill_null(pc.match_substring_regex(values, PLAIN), False).to_numpy(zero_copy_only=False)
    return _joined(_corrected(_quoted(values), plain, part))


def _reports(values: pa.Array, part: pd.Series) -> bytes:
    sentences, offsets = values.flatten(), _offsets(values)
    lists = pa.LargeListArray.from_arrays(pa.array(offsets), _quoted(sentences))
    end = pc.if_else(pc.equal(pc.list_value_length(lists), 1), _text(",)"), _text(")"))
    text = pc.binary_join_element_wise(_text("("), pc.binary_join(lists, _text(", ")), end, _text(""))
    text = pc.if_else(values.is_valid(), text, _text("None"))
    odd = ~pc.match_substring_regex(sentences, PLAIN).to_numpy(zero_copy_only=False)
    before = np.concatenate([[0], np.cumsum(odd)])
    return _joined(_corrected(text, before[offsets[1:]] == before[offsets[:-1]], part))


def _corrected(text: pa.Array, plain: np.ndarray, part: pd.Series) -> pa.Array:
    """Return printed cells of which Python has printed those that are not plain."""
    if plain.all():
        return text
    ours = pa.array([repr(value) for value in part[~plain]], pa.large_string())
    return pc.replace_with_mask(text, pa.array(~plain), ours)


def _offsets(values: pa.Array) -> np.ndarray:
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _quoted(values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(_text("'"), values, _text("'"), _text(""))


def _text(text: str) -> pa.Scalar:
    return pa.scalar(text, pa.large_string())


def _joined(values: pa.Array) -> bytes:
    """Return the texts of an array without missing values, one after another."""
    if not len(values):
        return b""
    _, offsets, text = values.buffers()
    first, last = np.frombuffer(offsets, np.int64)[[values.offset, values.offset + len(values)]].tolist()
    return bytes(memoryview(text)[first:last]) if last > first else b""
