"""Read the reports of Open-i (NLMCXR_reports.tgz, packed or not) and the projections of its images."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.data.tables.text_file import require_file
from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB

MOST_REPORT = MIB
"""Bytes of a report; one has some 5 kB."""
ARCHIVES = ("NLMCXR_reports.tgz", "NLMCXR_reports.tar.gz")
FOLDERS = ("ecgen-radiology", "NLMCXR_reports/ecgen-radiology", "reports/ecgen-radiology", "reports")
PROJECTIONS = "indiana_projections.csv"
DERIVED_VIEWS = "nlmcxr_tsne_pa.csv"
FRONTAL, LATERAL = ("PA", "AP", "FRONTAL"), ("L", "LATERAL")
VIEW_TABLES = {
    DERIVED_VIEWS: ("imageid", "tsne-view"),
    PROJECTIONS: ("filename", "projection"),
}
"""Tables with the projections of images; the most trusted is last.

The DICOM tag is not used, because it is PA for many lateral images.
"""
_IMAGE = re.compile(r"(?:CXR)?(\d+)_(?:\1_)?(IM-.+?)(?:\.dcm)?(?:\.png)?$")


@dataclass(frozen=True)
class OpeniReport:
    """The content of one XML file.

    Attributes:
        id: e.g. ``CXR1``.
        sections: texts by their label in capitals (``FINDINGS``). Empty texts are kept, so that a report
            without prose is not mistaken for one without headings.
        terms: MeSH terms without qualifiers, in lower case (``lung``, ``normal``).
        images: ids such as ``CXR1_1_IM-0001-3001``; the PNG has the same name.
    """

    id: str
    sections: dict[str, str]
    terms: frozenset[str]
    images: tuple[str, ...]

    def text(self) -> str:
        """Return the report as one text with headings, for the report policies."""
        return "\n\n".join(f"{label}: {text}" for label, text in self.sections.items())


def read_reports(root: Path) -> list[OpeniReport]:
    """Read all reports in the order of their numbers.

    Raises:
        BenchError: there are none, or one is not an XML file (the message names it).
    """
    found = [parse_report(name, content) for name, content in _files(root)]
    if not found:
        raise BenchError(
            f"{ARCHIVES[0]} is missing, and {FOLDERS[0]}/*.xml too",
            where=root,
            fix=f"put {ARCHIVES[0]} there, packed or unpacked",
        )
    return sorted(found, key=lambda report: int(re.sub(r"[^0-9]", "", report.id)[:18] or 0))


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        files = sorted((root / folder).glob("*.xml"))
        if files:
            yield from ((str(file), _content(file)) for file in files)
            return
    for name in ARCHIVES:
        place = root / name
        if not place.is_file() and not place.is_symlink():
            continue
        require_file(place)
        try:
            with tarfile.open(place) as archive:
                for member in archive:
                    if not member.isfile() or not member.name.endswith(".xml"):
                        continue
                    _require_small(member.size, f"{place}/{member.name}")
                    if (stream := archive.extractfile(member)) is not None:
                        yield f"{place}/{member.name}", stream.read()
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise BenchError(
                f"archive is truncated or damaged ({error})", where=place, fix="download it again"
            ) from error
        return


def _content(file: Path) -> bytes:
    if not file.is_file():
        raise BenchError("is no regular file", where=file, fix="unpack the reports again")
    _require_small(file.stat().st_size, file)
    return file.read_bytes()


def _require_small(size: int, where: object) -> None:
    if size > MOST_REPORT:
        what = f"has {size / MIB:.0f} MiB; a report has at most {MOST_REPORT // MIB}"
        raise BenchError(what, where=where, fix="download the reports again")


def parse_report(name: str, content: bytes) -> OpeniReport:
    """Parse the content of one file.

    Raises:
        BenchError: the content is not XML, or not a report of Open-i.
    """
    try:
        root = ElementTree.fromstring(content)  # nosec B314
    except ElementTree.ParseError as error:
        raise BenchError(
            f"not an XML file ({error})", where=name, fix="download the reports again"
        ) from error
    element = root.find("uId")
    uid = element.get("id") if element is not None else None
    if not uid:
        raise BenchError(
            "XML file is not an Open-i report: it has no uId", where=name, fix="download the reports again"
        )
    sections: dict[str, str] = {}
    for part in root.iter("AbstractText"):
        label, text = (part.get("Label") or "").upper(), (part.text or "").strip()
        sections[label] = f"{sections.get(label, '')}\n\n{text}".strip()
    terms = frozenset((node.text or "").split("/")[0].strip().lower() for node in root.iter("major"))
    images = tuple(node.get("id", "") for node in root.iter("parentImage"))
    return OpeniReport(uid, sections, terms - {""}, images)


def read_projections(root: Path) -> dict[tuple[str, str], str]:
    """Read ``frontal`` or ``lateral`` by :func:`image_key` from the tables in ``root``; they are optional.

    ``indiana_projections.csv`` is from the Kaggle re-pack. ``nlmcxr_tsne_pa.csv`` is from torchxrayvision and
    covers about half of the images; it was derived from their appearance.
    """
    views: dict[tuple[str, str], str] = {}
    for name, columns in VIEW_TABLES.items():
        place = next((p for p in (root / name, root / f"{name}.gz") if p.is_file()), None)
        if place is None:
            continue
        table = read_table(place, columns, text=columns)
        for image, view in zip(*(table[c].fillna("") for c in columns), strict=True):
            known = "frontal" if view.upper() in FRONTAL else "lateral" if view.upper() in LATERAL else None
            if known:
                views[image_key(image)] = known
    return views


def image_key(name: str) -> tuple[str, str]:
    """Return (report number, rest) for all spellings: CXR1_1_IM-0001-3001, 1_IM-0001-3001.dcm.png."""
    match = _IMAGE.match(Path(name).name)
    return (match.group(1), match.group(2)) if match else ("", name)
