"""Read Parquet files that somebody else may have made in parts, of which all together take bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prior_bench.io.bounded import UNPACKED_RATIO

ROWS = 4096
"""Rows that are read at once."""


def bounded_table(file: Any, most: int, rows: int = ROWS) -> Any:
    """Read a Parquet file in parts, of which all together take at most ``most`` bytes.

    Args:
        file: a ``pyarrow.parquet.ParquetFile``.
        most: bytes of the table in memory at most.
        rows: rows of each part.

    Returns:
        The ``pyarrow.Table``; its columns are in parts.

    Raises:
        ValueError: it unpacks to more, or says so.
    """
    import pyarrow as pa

    said, taken = file.metadata, 0
    groups = [said.row_group(group) for group in range(said.num_row_groups)]
    values = [group.column(column).num_values for group in groups for column in range(group.num_columns)]
    sizes = [group.total_byte_size for group in groups]
    stated = max(sum(sizes), 4 * sum(values))  # one value may stand for many, and takes no room in the file
    if stated > most or min(sizes + values, default=0) < 0:
        raise ValueError(f"it unpacks to {stated:,} bytes, more than {UNPACKED_RATIO} times its size")
    columns: dict[str, Any] = {}
    for field in file.schema_arrow:  # one after another, so that little else is in memory meanwhile
        parts = []
        for batch in file.iter_batches(rows, columns=[field.name], use_threads=False):
            part = batch.column(0)
            taken += part.nbytes
            if taken > most:
                raise ValueError(f"it unpacks to more than {UNPACKED_RATIO} times its size")
            parts.append(pa.concat_arrays([part.slice(0, 0), part]))  # a copy without room for more
        columns[field.name] = pa.chunked_array(parts, field.type)
    return pa.table(columns, schema=file.schema_arrow)


@contextmanager
def returned_memory() -> Iterator[None]:
    """Let Arrow take memory from the system, which gets it back; its own pool keeps much of it for later."""
    import pyarrow as pa

    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)
