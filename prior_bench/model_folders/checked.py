"""The check of every folder that transformers or open_clip reads: its files, its configs, its tokenizer."""

from __future__ import annotations

import stat
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB
from prior_bench.model_folders.configs import check_folder_configs, configs_in
from prior_bench.model_folders.growing_rules import check_growth

TEXTS = ("*.json", "*.txt", "*.jinja", "additional_chat_templates/*.jinja")
"""Texts of a folder that libraries read whole: vocabularies, tokens, templates of chats."""
MOST_TEXT = 128 * MIB
"""Bytes of such a file; a vocabulary of 256,000 words has 34 MB."""


def checked_folder(folder: Path, own_code: bool = False) -> Path:
    """Return a folder that may be given to a library.

    Args:
        folder: the folder.
        own_code: whether the user has said that its own code may run; its configs are then not checked.

    Raises:
        BenchError: a file is no regular file, or a link to one elsewhere; a text is too large; a config makes
            a library fetch or run something else; the tokenizer's rules or patterns may never end.
    """
    require_own_files(folder)
    _require_small_texts(folder)
    if not own_code:
        check_folder_configs(configs_in(folder), folder)
    check_growth(folder)
    return folder


def require_own_files(folder: Path) -> None:
    """Raise BenchError for a device or a pipe, and for a link to a file that is not the model's own."""
    for path in sorted((*folder.iterdir(), *folder.glob("additional_chat_templates/*"))):
        if path.is_symlink() and not is_own(path, folder):
            what = "is a link to a file outside the model's folder, which is not read"
            raise BenchError(what, where=path, fix="put the file itself in its place, or remove the link")
        try:
            kind = path.stat().st_mode
        except OSError:  # a dead link: the library says what is missing
            continue
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise BenchError("is no regular file", where=path, fix="download the folder again")


def is_own(path: Path, folder: Path) -> bool:
    """Whether what a path stands for lies in a folder, or in the blobs of the hub's cache, if that has it."""
    place, real = folder.resolve(), path.resolve()
    blobs = place.parent.parent / "blobs"
    return real.is_relative_to(place) or (place.parent.name == "snapshots" and real.is_relative_to(blobs))


def _require_small_texts(folder: Path) -> None:
    """Raise BenchError for a text that no library should read whole: a file can be mostly holes."""
    for path in sorted(place for pattern in TEXTS for place in folder.glob(pattern)):
        if path.is_file() and (size := path.stat().st_size) > MOST_TEXT:
            what = f"has {size / MIB:.0f} MiB; at most {MOST_TEXT // MIB} are read"
            raise BenchError(what, where=path, fix="download it again")
