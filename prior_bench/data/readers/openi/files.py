"""The reports of Open-i (NLMCXR_reports.tgz, packed or not) and the projections of its images."""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from prior_bench.data.tables.annotation_tables import read_table, require_file
from prior_bench.errors import BenchError

ARCHIVES = ("NLMCXR_reports.tgz", "NLMCXR_reports.tar.gz")
FOLDERS = ("ecgen-radiology", "NLMCXR_reports/ecgen-radiology", "reports/ecgen-radiology", "reports")
PROJECTIONS = "indiana_projections.csv"
DERIVED_VIEWS = "nlmcxr_tsne_pa.csv"
FRONTAL, LATERAL = ("PA", "AP", "FRONTAL"), ("L", "LATERAL")
VIEW_TABLES = {
    DERIVED_VIEWS: ("imageid", "tsne-view"),
    PROJECTIONS: ("filename", "projection"),
}
"""Tables that tell the projection of an image, the most trusted last.

The DICOM tag is not among them: it says PA on many lateral images.
"""
_IMAGE = re.compile(r"(?:CXR)?(\d+)_(?:\1_)?(IM-.+?)(?:\.dcm)?(?:\.png)?$")


@dataclass(frozen=True)
class OpeniReport:
    """One XML file.

    Attributes:
        id: e.g. ``CXR1``.
        sections: texts by their label in capitals (``FINDINGS``); empty ones are kept, so that a report
            without prose is not mistaken for one without headings.
        terms: MeSH terms without their qualifiers, in small letters (``lung``, ``normal``).
        images: ids such as ``CXR1_1_IM-0001-3001``; the PNG has the same name.
    """

    id: str
    sections: dict[str, str]
    terms: frozenset[str]
    images: tuple[str, ...]

    def text(self) -> str:
        """As one text with headings, for the report policies."""
        return "\n\n".join(f"{label}: {text}" for label, text in self.sections.items())


def read_reports(root: Path) -> list[OpeniReport]:
    """All reports in the order of their numbers.

    Raises:
        BenchError: there are none, or one is no XML (names the file).
    """
    found = [parse_report(name, content) for name, content in _files(root)]
    if not found:
        raise BenchError(
            f"{ARCHIVES[0]} is missing, and {FOLDERS[0]}/*.xml too",
            where=root,
            fix=f"put {ARCHIVES[0]} there, packed or unpacked",
        )
    return sorted(found, key=lambda report: int(re.sub(r"\D", "", report.id) or 0))


def _files(root: Path) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        files = sorted((root / folder).glob("*.xml"))
        if files:
            yield from ((str(file), file.read_bytes()) for file in files)
            return
    for name in ARCHIVES:
        place = root / name
        if not place.is_file() and not place.is_symlink():
            continue
        require_file(place)
        try:
            with tarfile.open(place) as archive:
                for member in archive:
                    stream = archive.extractfile(member) if member.name.endswith(".xml") else None
                    if stream is not None:  # None for a folder
                        yield f"{place}/{member.name}", stream.read()
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise BenchError(
                f"archive is truncated or damaged ({error})", where=place, fix="download it again"
            ) from error
        return


def parse_report(name: str, content: bytes) -> OpeniReport:
    """One file's content.

    Raises:
        BenchError: no XML, or no report of Open-i.
    """
    try:
        root = ElementTree.fromstring(content)
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
    """``frontal`` or ``lateral`` by :func:`image_key`, from the tables that lie in ``root``; none need.

    ``indiana_projections.csv`` is of the Kaggle re-pack, ``nlmcxr_tsne_pa.csv`` (about half of the images,
    distinguished by their looks) of torchxrayvision.
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
    """(report number, rest), the same for all spellings: CXR1_1_IM-0001-3001, 1_IM-0001-3001.dcm.png."""
    match = _IMAGE.match(Path(name).name)
    return (match.group(1), match.group(2)) if match else ("", name)
