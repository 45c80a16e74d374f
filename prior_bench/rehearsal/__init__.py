"""Data sets of real size for rehearsals: annotation files as large as the real ones, and few images.

The label files of CheXpert (``train.csv``), RSNA Pneumonia, SIIM-ACR and NIH ChestX-ray14 are the public ones
where the package torchxrayvision, which contains them, is installed. All other files are computed, in the
layout and with the counts of the published ones; their labels mean nothing. The pixels are synthetic
everywhere, and do not show what the labels say.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import unknown_name

VERSION = 1
"""Version of the data; it is raised whenever they change."""

FOLDERS = {
    "chexpert": "chexpert",
    "chexpert_5x200": "chexpert",
    "rsna_pneumonia": "rsna_pneumonia",
    "siim_acr": "siim_acr",
    "nih_chestxray14": "nih_chestxray14",
    "vindr_cxr": "vindr_cxr",
    "covidx": "covidx",
    "object_cxr": "object_cxr",
    "mimic_cxr": "mimic_cxr",
    "mimic_5x200": "mimic_cxr",
}
"""Folder of each data set, by registered name."""

OPTIONS: dict[str, dict[str, Any]] = {"covidx": {"version": "9A"}}
"""Options of readers; ``version`` selects one of two versions of the lists."""


class RehearsalData:
    """The generator behind ``rehearsal:NAME``; see :data:`prior_bench.registry.GENERATORS`."""

    version = VERSION
    remark = "rehearsal"
    data_sets = tuple(FOLDERS)

    @staticmethod
    def options(name: str) -> dict[str, Any]:
        """Return the options of a data set's reader."""
        return dict(OPTIONS.get(name, {}))

    @staticmethod
    def root(name: str) -> Path:
        """Return the folder of a data set, which is written on first use.

        Raises:
            BenchError: there is no such data set, or the folder cannot be written.
        """
        if name not in FOLDERS:
            raise unknown_name("rehearsal data set", name, list(FOLDERS))
        folder = place_of(FOLDERS[name])
        if not folder.is_dir():
            from prior_bench.rehearsal.write import write

            write(FOLDERS[name], folder, public_files())
        return folder

    @staticmethod
    def ready(name: str) -> bool:
        """Whether a data set is there already, so that opening it writes nothing."""
        return name in FOLDERS and place_of(FOLDERS[name]).is_dir()


def place_of(folder: str) -> Path:
    """Return the folder of a data set; data with and without public label files are not mixed."""
    kind = "public" if public_files() else "computed"
    return paths.led_here(paths.data_root() / f"rehearsal-{VERSION}-{kind}" / folder)


def public_files() -> Path | None:
    """Return the folder of label files in torchxrayvision, which is not imported; None without it."""
    try:
        found = find_spec("torchxrayvision")
    except (ImportError, ValueError):
        return None
    folder = Path(found.origin).parent / "data" if found and found.origin else None
    return folder if folder is not None and (folder / "chexpert_train.csv.gz").is_file() else None
