"""``prior_bench.bundle``, ``check_bundle`` and ``build_leaderboard``: results that are shown to others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from prior_bench.leaderboard.bundle import Bundled, Submission, write_bundle
from prior_bench.leaderboard.checking import CheckedBundle
from prior_bench.leaderboard.checking import check_bundle as checked_bundle
from prior_bench.leaderboard.site import BuiltSite, build_site
from prior_bench.public.stores import as_store
from prior_bench.report.runs.find_run import require_store
from prior_bench.store.store import Store


def bundle(
    store: str | Path | Store,
    output: str | Path,
    *,
    title: str,
    contact: str = "",
    licence: str = "",
    note: str = "",
    cards: Sequence[str | Path] = (),
    predictions: bool = False,
) -> Bundled:
    """Write the finished records of a store to a bundle, which may be shown to others.

    Args:
        store: name of a suite, folder of its store, or the store.
        output: the ZIP file to write.
        title: title of the bundle.
        contact: who answers questions.
        licence: licence of the numbers.
        note: what a reader should know.
        cards: cards of rows, ``FILE.json`` or ``"ROW=FILE.json"``; the other rows have what records say.
        predictions: whether to enclose the predictions, without which the numbers are unverified. They hold
            the labels of the test images.

    Returns:
        What was written: path, sha256, numbers of records.

    Raises:
        BenchError: there is no such store or no finished record, or a record cannot be shown.

    Example:
        >>> import prior_bench as pb
        >>> pb.bundle("demo", "demo.zip", title="Our runs of the demo", predictions=True)
    """
    found = require_store(store) if isinstance(store, str) else as_store(store)
    submission = Submission(title, contact, licence, note, tuple(map(str, cards)))
    return write_bundle(found, Path(output), submission, predictions=predictions)


def check_bundle(path: str | Path) -> CheckedBundle:
    """Check a bundle: hashes, keys, values, and the numbers that its predictions give.

    Returns:
        The outcome: ``sound``, ``problems``, ``verified``, ``records``.

    Raises:
        BenchError: the file is no bundle at all.
    """
    return checked_bundle(path)


def build_leaderboard(
    folder: str | Path, out: str | Path, *, title: str = "Leaderboard", url: str = ""
) -> BuiltSite:
    """Write a static site of all bundles in a folder; bundles that are not sound are left out and named.

    Args:
        folder: folder with bundles (``*.zip``).
        out: folder to write; it must be new, empty, or an earlier site.
        title: title of the site.
        url: address at which the site will be.

    Returns:
        What was written: ``place``, numbers of bundles, rows and protocols, ``left_out``, ``conflicts``.

    Raises:
        BenchError: there is no sound bundle, or the folder is not ours to replace.
    """
    return build_site(Path(folder), Path(out), title=title, url=url)
