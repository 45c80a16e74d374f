"""Texts without what belongs to a person: only words of prior-bench's own source are kept.

A list of what is forbidden (paths, names, identifiers of patients) is never complete. So it is the
other way round: a word is kept if prior-bench, Python or the system is known to say it; everything else is
replaced.
"""

from __future__ import annotations

import builtins
import errno
import getpass
import keyword
import os
import re
import socket
from functools import cache
from pathlib import Path

from prior_bench import paths

GONE, NUMBER, PLACE = "…", "#", "<path>"
"""What stands for a word, a number, and a file or folder."""
PACKAGES = ("prior_bench", "tasks", "baselines")
COMMON = """
argument arguments attribute but call called cannot could dimension dimensions during error exception expected
float found from given got handling have has index input int integer invalid iterable keyword list literal
mat matrix maximum memory missing multiplied must no not object occurred of only operand out positional range
required same shape shapes size str subscriptable supported takes tensor tensors the to tuple type types
unexpected unhashable unpack unsupported value values was were with another above directly cause following
CUDA DICOM JSON PNG JPEG CSV None True False Traceback most recent last
""".split()
"""Words in messages of Python, NumPy and torch."""
_PIECES = re.compile(r"[^\s'\"`(),;=\[\]{}<>|]+")
_WORDS = re.compile(r"\w+")


def masked(text: str) -> str:
    """Return a text in which paths, numbers and words that are not known are replaced."""
    return _PIECES.sub(lambda found: _piece(found[0], _starts_sentence(text, found.start())), text)


def known(word: str) -> bool:
    """Whether a word is one of those that are kept, as it is written."""
    return word in vocabulary() and word.lower() not in _personal()


@cache
def vocabulary() -> frozenset[str]:
    """Return lower-case words and names of classes in the sources, and names of shipped configs."""
    words = {*COMMON, *keyword.kwlist, *dir(builtins)}
    words |= set(re.findall(r"[A-Za-z]+", " ".join(map(os.strerror, errno.errorcode))))
    for package in PACKAGES:
        for path in _home(package).rglob("*.py"):
            source = path.read_text("utf-8")
            words |= {word for word in _WORDS.findall(source) if word.isascii() and word.islower()}
            words |= set(re.findall(r"\bclass (\w+)", source)) | {path.stem}
    words |= {path.stem for path in paths.shipped("configs").rglob("*.py")}
    return frozenset(word for word in words if not any(letter.isdigit() for letter in word))


def _home(package: str) -> Path:
    return paths.PACKAGE if package == "prior_bench" else paths.PACKAGE.parent / package


@cache
def _personal() -> frozenset[str]:
    """Return names of this account and machine, which are removed even if they are words."""
    try:
        names = {getpass.getuser(), Path.home().name, socket.gethostname()}
    except (KeyError, OSError, RuntimeError):  # an account without a name or home
        names = {socket.gethostname()}
    return frozenset(part for name in names for part in _WORDS.findall(name.lower())) - {"root"}


def _piece(piece: str, starts: bool) -> str:
    """Mask what stands between blanks, quotes and brackets."""
    if "/" in piece or "\\" in piece or piece.startswith("~"):
        bare = piece.rstrip(".:")
        if all(known(part) for part in re.split(r"[/\\]", bare)):
            return piece
        return _root_of(bare) + piece[len(bare) :]
    return _WORDS.sub(lambda found: _word(found[0], starts and found.start() == 0), piece)


def _root_of(piece: str) -> str:
    """Return the name of the root folder that a path is in."""
    roots = {f"<{name}>": root for name, root in paths.unchecked_roots().items()}
    roots["<prior-bench>"] = paths.PACKAGE.parent
    for name, root in roots.items():
        if piece == str(root) or piece.startswith((f"{root}/", f"{root.absolute()}/")):
            return name
    return PLACE


def _word(word: str, starts: bool) -> str:
    if word.isdigit():
        return NUMBER
    usual = word[:1].lower() + word[1:]
    return word if known(word) or (starts and known(usual)) else GONE


def _starts_sentence(text: str, place: int) -> bool:
    while place and text[place - 1].isspace():  # a copy of what stands before would cost its length each time
        place -= 1
    return not place or text[place - 1] in ".:-"
