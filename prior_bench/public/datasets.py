"""``prior_bench.open_dataset``: open a data set as a table of images, texts, labels and splits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prior_bench.data.manifest import Manifest
from prior_bench.data.open import open_dataset as open_reference
from prior_bench.public.planning import data_reference


def open_dataset(
    data: str | Path | Mapping[str, Any],
    *,
    split: str = "default",
    labels: Sequence[str] = (),
    **reader: Any,
) -> Manifest:
    """Read a data set's files without decoding images.

    Args:
        data: ``"chexpert"`` (under ``PRIOR_BENCH_DATA``), ``"chexpert@DIR"``, ``"sample:chexpert"``
            (synthetic, generated on first use), a ``.csv`` file of your own images, a ``.npz`` file of
            MedMNIST, or a dict with ``type`` and the reader's options.
        split: split rule (``prior-bench data describe NAME`` lists them).
        labels: label columns to use; by default all.
        **reader: options of the data set's reader, e.g. ``missing="skip"``; ``root="DIR"``; ``cache=256``.

    Returns:
        A Manifest: ``table`` is a DataFrame with one row per image (``id``, ``patient_id``, ``image``,
        ``split``, and, if they exist, labels, ``report``, ``boxes`` and ``mask``). ``split("test")`` returns
        a part of it, and ``split_summary()`` its sizes.

    Raises:
        BenchError: the data set, the rule or an option is unknown, or a file is missing or damaged.

    Example:
        >>> import prior_bench as pb
        >>> data = pb.open_dataset("sample:chexpert")
        >>> data.labels, len(data.split("test"))
    """
    return open_reference(data_reference(data, labels, reader), split)
