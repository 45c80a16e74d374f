"""Write a data set of a rehearsal: label files of the real size, the papers' lists, and the shared images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from prior_bench.io.atomic import whole_folder
from prior_bench.io.leftovers import remove_leftovers
from prior_bench.rehearsal import chexpert, covidx, mimic_cxr, nih_chestxray14, object_cxr, rsna, siim, vindr
from prior_bench.rehearsal.images import write_images
from prior_bench.sample.lists import write_lists

WRITERS: dict[str, Callable[[Path, Path | None], None]] = {
    "chexpert": chexpert.write,
    "rsna_pneumonia": rsna.write,
    "siim_acr": siim.write,
    "nih_chestxray14": nih_chestxray14.write,
    "vindr_cxr": vindr.write,
    "covidx": covidx.write,
    "object_cxr": object_cxr.write,
    "mimic_cxr": mimic_cxr.write,
}
"""Writers of the label files, by folder; they take the folder and that of public files, if there is one."""
HOMES = {"chexpert": "CheXpert-v1.0-small"}
"""Folder of the files within that of the data set, where they have one."""
README = """REHEARSAL

The images are synthetic and shared by many rows. Label files are computed, or copies of public ones
(docs/rehearsal.md). No number measured on this folder says anything about a model.
Delete it at any time: it is written again when it is next needed.
"""


def write(kind: str, folder: Path, public: Path | None) -> None:
    """Write a data set.

    Args:
        kind: its folder's name, in :data:`WRITERS`.
        folder: folder to create.
        public: folder with public label files; None where they are not there, so that all are computed.

    Raises:
        BenchError: the folder cannot be written.
    """
    remove_leftovers(folder.parent, folder.name, older_than=3600)
    fix = "set PRIOR_BENCH_DATA to a folder that you may write to, with room for about 300 MB"
    with whole_folder(folder, fix, first_wins=True) as fresh:
        (fresh / "README.txt").write_text(README)
        home = fresh / HOMES.get(kind, "")
        write_images(kind, home)
        WRITERS[kind](home, public)
        write_lists(kind, fresh)
