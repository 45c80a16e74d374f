"""Build the site: a folder of pages and data that is written complete or not at all.

The same bundles give the same bytes: nothing depends on the clock, on names of files or on other results of
who builds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from prior_bench.errors import BenchError, ErrorList
from prior_bench.io.atomic import whole_folder
from prior_bench.io.bounded import read_json
from prior_bench.leaderboard.checking import CheckedBundle, check_opened
from prior_bench.leaderboard.contents import Contents
from prior_bench.leaderboard.downloads import as_csv, as_json
from prior_bench.leaderboard.layout import SUFFIX
from prior_bench.leaderboard.model_index import model_index
from prior_bench.leaderboard.opening import open_bundle
from prior_bench.leaderboard.pages import Pages
from prior_bench.store.provenance import versions

DATA = "leaderboard.json"
GENERATOR = "prior-bench leaderboard"
FIX = "give a new folder, or remove what is in it"


@dataclass(frozen=True)
class BuiltSite:
    """What was written.

    Attributes:
        place: folder of the site.
        bundles, rows, protocols: their numbers.
        left_out: problems of the files that are no sound bundle, by name.
        conflicts: contradictions between bundles.
    """

    place: Path
    bundles: int
    rows: int
    protocols: int
    left_out: dict[str, list[str]]
    conflicts: list[str]


def build_site(folder: Path, out: Path, *, title: str = "Leaderboard", url: str = "") -> BuiltSite:
    """Write the site of all bundles in a folder.

    Args:
        folder: folder with bundles; those that are not sound are left out, and the site names them.
        out: folder to write; it must be new, empty, or hold nothing but an earlier site.
        title: title of the site.
        url: its address, which ``model-index`` names as the source of results.

    Raises:
        BenchError: there is no sound bundle, ``out`` holds other files, or it cannot be written.
    """
    if not folder.is_dir():
        raise BenchError("is no folder", where=folder, fix="give a folder with bundles")
    if url and not url.startswith(("https://", "http://")):
        raise BenchError("is no address", where="--url", fix="begin with https://")
    require_replaceable(out)
    with TemporaryDirectory() as unpacked:
        bundles, left_out = collected(folder, Path(unpacked))
        if not bundles:
            found = "; ".join(f"{name}: {problems[0]}" for name, problems in left_out.items())
            what = f"there is no sound bundle ({found})" if found else "there is no bundle"
            raise BenchError(what, where=folder, fix="prior-bench results bundle")
        version = versions().get("prior-bench", "")
        contents = Contents.of(bundles, left_out, title, url, version)
        files = site_files(contents)
    with whole_folder(out, FIX) as fresh:
        for name, text in files.items():
            place = fresh / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode("utf-8"))
    told = [conflict.text for conflict in contents.conflicts]
    return BuiltSite(out, len(bundles), len(contents.rows), len(contents.boards), left_out, told)


def collected(folder: Path, unpacked: Path) -> tuple[list[CheckedBundle], dict[str, list[str]]]:
    """Unpack and check all bundles in a folder.

    Args:
        folder: its files ``*.zip`` are taken for bundles.
        unpacked: an empty folder, which must exist as long as the bundles are used.

    Returns:
        The sound ones by title and hash, each once, and why the other files are left out, by name.
    """
    sound: dict[str, CheckedBundle] = {}
    left_out: dict[str, list[str]] = {}
    for number, path in enumerate(sorted(folder.glob(f"*{SUFFIX}"))):
        place = unpacked / str(number)
        place.mkdir()
        try:
            found = check_opened(open_bundle(path, place))
        except BenchError as error:
            left_out[path.name] = _lines(error)
            continue
        if not found.sound:
            left_out[path.name] = found.problems
        else:
            sound.setdefault(found.opened.sha256, found)  # a copy of the file adds nothing
    return sorted(sound.values(), key=lambda one: (one.opened.statement.title, one.opened.sha256)), left_out


def _lines(error: BenchError) -> list[str]:
    """Return what is wrong with a file, without its folder and without remedies."""
    if isinstance(error, ErrorList):
        return [line for one in error.errors for line in _lines(one)]
    place = f"{error.where}: " if isinstance(error.where, str) else ""
    return [place + error.what]


def site_files(contents: Contents) -> dict[str, str]:
    """Return all files of a site by their names."""
    pages, results = Pages(contents), contents.results()
    files = {"index.html": pages.index(), "leaderboard.csv": as_csv(results)}
    for board in contents.boards:
        files[f"protocols/{board.slug}.html"] = pages.board(board)
    for row in contents.rows:
        files[f"rows/{row.slug}.html"] = pages.row(row)
        index = model_index(row, contents.boards_of(row), contents.url)
        files[f"model-index/{row.slug}.json"] = as_json(index)
    files[DATA] = as_json(_data(contents, results, sorted([*files, DATA])))
    return files


def require_replaceable(out: Path) -> None:
    """Raise BenchError unless a folder is new, empty, or holds nothing but an earlier site."""
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise BenchError("is no folder", where=out, fix=FIX)
    if not out.is_dir():
        return
    there = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    if not there:
        return
    try:
        stated = read_json(out / DATA)
        ours = set(stated["files"]) if stated["generator"] == GENERATOR else set()
    except (BenchError, FileNotFoundError, KeyError, TypeError):
        ours = set()
    if others := sorted(there - ours):
        raise BenchError(f"holds other files than a leaderboard's: {others[0]}", where=out, fix=FIX)


def _data(contents: Contents, results: list[dict[str, Any]], files: list[str]) -> dict[str, Any]:
    bundles = [
        {
            **{name: getattr(one.opened.statement, name) for name in ("title", "contact", "licence", "note")},
            "sha256": one.opened.sha256,
            "records": len(one.records),
            "verified": one.verified,
        }
        for one in contents.bundles
    ]
    return {
        "generator": GENERATOR,
        "version": contents.version,
        "title": contents.title,
        "bundles": bundles,
        "left_out": contents.left_out,
        "conflicts": [conflict.text for conflict in contents.conflicts],
        "results": results,
        "files": files,
    }
