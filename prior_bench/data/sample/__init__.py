"""The sample benchmark: synthetic radiographs and reports in the layouts of the real data sets.

Nothing is stored in the package; the data is computed from a seed on first use.
"""

from __future__ import annotations

import os
from pathlib import Path

from prior_bench import paths
from prior_bench.errors import BenchError, unknown_name

VERSION = "1"
"""Raised whenever the same seed gives other data than before."""

SIZE_VARIABLE = "PRIOR_BENCH_SAMPLE_SIZE"
"""Environment variable that chooses the size: ``default``, or ``tiny`` for tests."""

FOLDERS = {
    "mimic_cxr": "mimic_cxr",
    "chexpert": "chexpert",
    "chexpert_5x200": "chexpert",
    "rsna_pneumonia": "rsna_pneumonia",
    "siim_acr": "siim_acr",
}
"""Folder of each data set, by registered name."""

PER_CLASS = {"default": 40, "tiny": 2}
"""Images per class of the sample's CheXpert 5x200, by size; its pools are too small for 200."""


def sample_options(name: str) -> dict[str, int]:
    """Reader options that the small size of the sample asks for."""
    size = os.environ.get(SIZE_VARIABLE) or "default"
    return {"per_class": PER_CLASS[size]} if name == "chexpert_5x200" and size in PER_CLASS else {}


def sample_root(name: str) -> Path:
    """Folder of one synthetic data set, in the layout of the real one; all are generated on first use.

    Args:
        name: data set, e.g. ``"mimic_cxr"``.

    Returns:
        A folder under ``data_root() / "sample-<version>"`` (``-tiny`` appended for the tiny size).

    Raises:
        BenchError: the data set has no sample, the size is unknown, or the folder cannot be written.
    """
    if name not in FOLDERS:
        raise unknown_name("sample data set", name, list(FOLDERS))
    size = os.environ.get(SIZE_VARIABLE) or "default"
    folder = paths.data_root() / (f"sample-{VERSION}" if size == "default" else f"sample-{VERSION}-{size}")
    if not folder.is_dir():
        from prior_bench.data.sample.generate import generate
        from prior_bench.data.sample.sizes import SIZES

        if size not in SIZES:
            raise unknown_name("sample size", size, list(SIZES), where=SIZE_VARIABLE)
        generate(folder, size)
    root = folder / FOLDERS[name]
    if not root.is_dir():
        raise BenchError(
            "is missing from the sample benchmark", where=root, fix=f"delete {folder}: it is written again"
        )
    return root
