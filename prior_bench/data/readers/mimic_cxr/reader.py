"""Read MIMIC-CXR-JPG 2.x with its reports (Johnson et al. 2019) from the unchanged files of PhysioNet."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.chexpert.labels import FOURTEEN, label_set, resolve_labels
from prior_bench.data.splitting.rules import apply_rule, describe
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.listed_images import require_images
from prior_bench.data.tables.text_file import require_file
from prior_bench.data.texts.reports import ReportPolicy, report_policy
from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB
from prior_bench.runtime import progress

IDS = ("subject_id", "study_id", "dicom_id")
REPORT_PLACES = ("", "reports", "mimic-cxr-reports", "mimic-cxr")
REPORT_ZIP = "mimic-cxr-reports.zip"
MOST_REPORT = MIB
"""Bytes of the largest report that is read."""


def read(
    root: Path,
    *,
    split: str = "default",
    views: Sequence[str] = ("AP", "PA"),
    reports: str | dict | ReportPolicy | None = "default",
    labels: str | Sequence[str] = "five",
    uncertain: str = "gloria",
    missing: str = "error",
) -> Manifest:
    """Read one row per image of the selected views; the images of a study share its report.

    Args:
        root: folder with ``files/`` and the ``mimic-cxr-2.0.0-*.csv.gz``. The reports are in the same
            ``files/``, in ``reports/`` or ``mimic-cxr-reports/``, or in ``mimic-cxr-reports.zip``.
        split: a name in :data:`RULES`.
        views: values of ``ViewPosition`` to select.
        reports: policy that selects the reports (the images of others are left out), or None for no reports.
        labels: ``"five"``, ``"fourteen"``, a list, or ``()`` for none (from the ``chexpert`` table).
        uncertain: policy for -1, in :data:`prior_bench.data.readers.chexpert.labels.UNCERTAIN`.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or no image has a selected view.
    """
    table = apply_rule(split, RULES, read_tables(root), "mimic_cxr")
    table = table[table["view"].isin(views)].reset_index(drop=True)
    if not len(table):
        raise BenchError(
            f"no image has a view among {', '.join(views)}", where=root, fix="e.g. views=('AP', 'PA')"
        )
    return _annotated(root, table, labels, uncertain, reports, missing, split)


def read_listed(
    root: Path, images: Sequence[str], *, where: Path, reports: str | dict | ReportPolicy | None, missing: str
) -> Manifest:
    """Read the images of a list of dicom ids, in its order; labels are the raw positives of the five
    findings.

    Raises:
        BenchError: as for :func:`read`, or an id is not in the metadata.
    """
    table = read_tables(root).set_index("id", drop=False)
    unknown = [image for image in images if image not in table.index]
    if unknown:
        raise BenchError(
            f"{len(unknown)} of {len(images)} images are not in the metadata; the first is {unknown[0]}",
            where=where,
            fix="check that the list and mimic-cxr-2.*-metadata.csv are from the same release",
        )
    table = table.loc[list(images)].reset_index(drop=True).assign(split="test")
    return _annotated(root, table, "five", "zeros", reports, missing, "default")


def _annotated(
    root: Path,
    table: pd.DataFrame,
    labels: str | Sequence[str],
    uncertain: str,
    reports: str | dict | ReportPolicy | None,
    missing: str,
    split: str,
) -> Manifest:
    """Make a manifest of the rows with labels and reports; rows without a usable report are left out."""
    names = label_set(labels) if labels else ()
    if names:
        table = table.join(_labels(root, table, names, uncertain))
    dropped: Counter[str] = Counter()
    if reports is not None:
        table["report"] = _read_reports(root, table, report_policy(reports), dropped)
        table = table[table["report"].notna()].reset_index(drop=True)
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "mimic_cxr", root, table, labels=names, split_rule=split, dropped=dict(dropped), notes=absent
    )


def read_tables(root: Path) -> pd.DataFrame:
    """Read the metadata and the official split: id, patient_id, study_id, image, view, official.

    Raises:
        BenchError: a table is missing or malformed, or an image has no official split.
    """
    place = find_table(root, "mimic-cxr-2.*-metadata.csv")
    metadata = read_table(place, (*IDS, "ViewPosition"), text=IDS)
    split_place = find_table(root, "mimic-cxr-2.*-split.csv")
    official = read_table(split_place, (*IDS, "split"), text=IDS)
    joined = metadata[[*IDS, "ViewPosition"]].merge(
        official[["dicom_id", "split"]], on="dicom_id", how="left"
    )
    if joined["split"].isna().any():
        first = joined.loc[joined["split"].isna(), "dicom_id"].iloc[0]
        raise BenchError(
            f"image '{first}' of {place.name} has no split", where=split_place, fix="download it again"
        )
    folder = _study_folder(joined)
    return pd.DataFrame(
        {
            "id": joined["dicom_id"],
            "patient_id": joined["subject_id"],
            "study_id": joined["study_id"],
            "image": folder + "/" + joined["dicom_id"] + ".jpg",
            "view": joined["ViewPosition"],
            "official": joined["split"],
        }
    )


def _study_folder(table: pd.DataFrame) -> pd.Series:
    patient = table["subject_id"]
    return "files/p" + patient.str[:2] + "/p" + patient + "/s" + table["study_id"]


def _labels(root: Path, table: pd.DataFrame, names: Sequence[str], uncertain: str) -> pd.DataFrame:
    place = find_table(root, "mimic-cxr-2.*-chexpert.csv")
    raw = (
        read_table(place, ("study_id", *names), text=IDS[:2])
        .drop_duplicates("study_id")
        .set_index("study_id")
    )
    return resolve_labels(
        raw.reindex(table["study_id"]).reset_index(drop=True), names, uncertain, where=place
    )


# --- reports ------------------------------------------------------------------------------------------


def _read_reports(root: Path, table: pd.DataFrame, policy: ReportPolicy, dropped: Counter[str]) -> pd.Series:
    """Read the sentences of every row, None without a usable report; ``dropped`` counts images by reason."""
    texts = _report_source(root)
    chosen: dict[str, tuple[tuple[str, ...] | None, str]] = {}
    folders = table["image"].str.rpartition("/")[0]
    for study, folder in progress(list(zip(table["study_id"], folders, strict=True)), "reading reports"):
        if study not in chosen:
            text = texts(f"{folder}.txt")
            sentences, reason = policy.select(text) if text is not None else ((), "no report file")
            chosen[study] = (sentences or None, reason)
    dropped.update(chosen[study][1] for study in table["study_id"] if chosen[study][1])
    if not any(sentences for sentences, _ in chosen.values()):
        raise BenchError(
            f"no usable report for any of {len(chosen)} studies ({dict(dropped)})",
            where=root / f"{folders.iloc[0]}.txt",
            fix=f"unpack {REPORT_ZIP} of MIMIC-CXR into {root}, or pass reports=None",
        )
    return pd.Series([chosen[study][0] for study in table["study_id"]], index=table.index, dtype=object)


def _report_source(root: Path) -> Callable[[str], str | None]:
    """Return a function from a report's name, ``files/p10/p10000032/s50414267.txt``, to its text or None."""
    archive = root / REPORT_ZIP
    if archive.is_file() or archive.is_symlink():
        require_file(archive)
        try:
            members = zipfile.ZipFile(archive)
        except zipfile.BadZipFile as error:
            raise BenchError(
                f"archive is truncated or damaged ({error})", where=archive, fix="download it again"
            ) from None
        known = set(members.namelist())

        def unpack(name: str) -> str | None:
            try:
                if name not in known:
                    return None
                _require_small(members.getinfo(name).file_size, f"{archive}: {name}")
                return members.read(name).decode("utf-8", "replace")
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
                raise BenchError(
                    f"{name} in it is damaged ({error})", where=archive, fix="download it again"
                ) from error

        return unpack
    places = [root / place for place in REPORT_PLACES if (root / place / "files").is_dir()]

    def find(name: str) -> str | None:
        for place in places:
            if (file := place / name).is_file():
                _require_small(file.stat().st_size, file)
                return file.read_text("utf-8", "replace")
            if file.exists():
                raise BenchError("is no regular file", where=file, fix="unpack the reports again")
        return None

    return find


def _require_small(size: int, where: object) -> None:
    if size > MOST_REPORT:
        what = f"has {size / MIB:.0f} MiB; a report has at most {MOST_REPORT // MIB}"
        raise BenchError(what, where=where, fix="download the reports again")


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The official split (by patient): train, validate, test."""
    return table.assign(split=table["official"].replace("validate", "valid"))


def prior_split(table: pd.DataFrame) -> pd.DataFrame:
    """PRIOR's released code: no split; all studies (also official validate and test) are for training."""
    return table.assign(split="train")


def mgca_split(table: pd.DataFrame) -> pd.DataFrame:
    """MGCA's released code: official validate and test together are the validation split."""
    return table.assign(split=table["official"].where(table["official"] == "train", "valid"))


RULES = {"default": official_split, "prior": prior_split, "mgca": mgca_split}
"""Split rules by name."""

CARD = Card(
    title="MIMIC-CXR-JPG 2.x with the reports of MIMIC-CXR",
    what="Chest radiographs of the Beth Israel Deaconess emergency department, 2011-2016, each study with "
    "its free-text report and 14 observations extracted from it. PRIOR, MGCA and LoVT are "
    "pre-trained on it.",
    size="377,110 images, 227,827 studies, 65,379 patients; about 570 GB (reports 135 MB)",
    source="https://physionet.org/content/mimic-cxr-jpg/ and, for the reports, "
    "https://physionet.org/content/mimic-cxr/",
    access="PhysioNet credentialed health data licence: training course and data use agreement",
    tree="""
files/p10/p10000032/s50414267/<dicom_id>.jpg
files/p10/p10000032/s50414267.txt   (or mimic-cxr-reports.zip as downloaded)
mimic-cxr-2.0.0-metadata.csv.gz
mimic-cxr-2.0.0-split.csv.gz
mimic-cxr-2.0.0-chexpert.csv.gz     (labels; not needed with labels=())
""",
    splits=describe(RULES),
    options={
        "views": "values of ViewPosition to select; default: ('AP', 'PA')",
        "reports": "report policy: default, prior, mgca, gloria, convirt, lovt; None for no reports",
        "labels": f"five, fourteen, or a list from: {', '.join(FOURTEEN)}",
        "uncertain": "gloria, ones, zeros, ignore",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Images without a usable report are left out; to classify all images, use reports=None.",
        "Reading 227,827 reports takes minutes: data prepare does it once. A prepared index watches the "
        "tables and the zip file, not single unpacked reports.",
    ),
    annotations=("labels", "reports"),
    watched=("mimic-cxr-2.*.csv*", "mimic-cxr-reports.zip"),
)
