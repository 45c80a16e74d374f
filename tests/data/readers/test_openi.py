"""Open-i: miniatures of both layouts, and all 3,955 real reports through the reader."""

import io
import json
import os
import tarfile

import miniatures
import pytest

from prior_bench.cli import main
from prior_bench.data.readers.openi import files as openi_files
from prior_bench.data.readers.openi import reader as openi
from prior_bench.errors import BenchError


@pytest.fixture
def root(tmp_path):
    return miniatures.openi(tmp_path)


def test_reports_images_and_what_is_left_out(root):
    data = openi.read(root)
    assert len(data) == 18 and data.has("reports") and not data.labels
    assert data.dropped == {"no findings or impression": 2}
    assert data.notes[0].startswith("layout found: XML, 11 reports (published 3,955): findings in 10")
    assert "1 without image" in data.notes[0]
    row = data.table.iloc[0]
    assert row["report"] == ("The heart is normal in size.", "Lungs are clear of ___.", "No acute disease.")
    assert (row["patient_id"], row["image"]) == ("CXR1", "NLMCXR_png/CXR1_IM-0001-1001.png")
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert len(openi.read(root, reports=None)) == 20
    assert openi.read(root, reports="gloria").table["report"].iloc[0] == ("No acute disease.",)


def test_labels_from_mesh_terms(root):
    data = openi.read(root, labels=["normal", "cardiomegaly"])
    assert data.targets().sum(axis=0).tolist() == [10, 8]
    with pytest.raises(BenchError, match="unknown MeSH term 'cardiomegly'\n  fix: did you mean cardiomegaly"):
        openi.read(root, labels=["cardiomegly"])


def test_views_where_the_projection_is_known(root, write_text):
    with pytest.raises(
        BenchError, match="no image is known to be frontal\n  fix: put indiana_projections.csv"
    ):
        openi.read(root, views="frontal")
    lines = ["uid,filename,projection"]
    lines += [
        f"{n},{n}_IM-{n:04d}-{v}001.dcm.png,{'Frontal' if v == 1 else 'Lateral'}"
        for n in range(1, 11)
        for v in (1, 2)
    ]
    write_text(root / "indiana_projections.csv", "\n".join(lines))
    data = openi.read(root, views="frontal")
    assert len(data) == 9 and data.table["id"].str.endswith("-1001").all()
    assert (openi.read(root, views="lateral").table["view"] == "lateral").all()
    with pytest.raises(BenchError, match="did you mean frontal"):
        openi.read(root, views="frontl")
    write_text(root / "indiana_projections.csv", "uid,file,projection\n")
    with pytest.raises(BenchError, match=r"indiana_projections.csv: column 'filename' missing"):
        openi.read(root)


def test_archive_as_downloaded(root, tmp_path):
    with tarfile.open(tmp_path / "NLMCXR_reports.tgz", "w:gz") as archive:
        archive.add(root / "ecgen-radiology", "ecgen-radiology")
    unpacked = openi.read(root)
    for file in (root / "ecgen-radiology").iterdir():
        file.unlink()
    assert openi.read(root).fingerprint() == unpacked.fingerprint()
    place = tmp_path / "NLMCXR_reports.tgz"
    place.write_bytes(place.read_bytes()[:300])
    with pytest.raises(BenchError, match=r"NLMCXR_reports.tgz: archive is truncated or damaged"):
        openi.read(root)
    place.unlink()
    with pytest.raises(BenchError, match=r"NLMCXR_reports.tgz is missing, and ecgen-radiology/\*.xml too"):
        openi.read(root)


def packed(folder, *members):
    with tarfile.open(folder / "NLMCXR_reports.tgz", "w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_links_in_an_archive_are_no_reports(tmp_path, kind):
    link = tarfile.TarInfo("ecgen-radiology/1.xml")
    link.type, link.linkname = kind, "ecgen-radiology/1.xml"
    packed(tmp_path, (link, b""))
    with pytest.raises(BenchError, match="NLMCXR_reports.tgz is missing"):
        openi.read(tmp_path)


def test_reports_that_are_far_too_large_are_not_read(root, tmp_path):
    (tmp_path / "packed").mkdir()
    packed(tmp_path / "packed", (tarfile.TarInfo("1.xml"), b" " * 2_000_000))
    with pytest.raises(BenchError, match=r"tgz/1\.xml: has 2 MiB; a report has at most 1"):
        openi.read(tmp_path / "packed")
    with open(root / "ecgen-radiology/3.xml", "wb") as file:
        file.truncate(2_000_000)
    with pytest.raises(BenchError, match=r"3\.xml: has 2 MiB"):
        openi.read(root)


def test_a_pipe_is_no_report_and_numbers_may_be_long(root, write_text):
    text = (root / "ecgen-radiology/3.xml").read_text()
    write_text(root / "ecgen-radiology/3.xml", text.replace('"CXR3"', f'"CXR{"9" * 5000}"'))
    assert len(openi_files.read_reports(root)) == 11
    (root / "ecgen-radiology/3.xml").unlink()
    os.mkfifo(root / "ecgen-radiology/3.xml")
    with pytest.raises(BenchError, match=r"3\.xml: is no regular file"):
        openi.read(root)


def test_reports_without_any_image(tmp_path, write_text):
    write_text(tmp_path / "ecgen-radiology/1.xml", '<eCitation><uId id="CXR1"/></eCitation>')
    with pytest.raises(BenchError, match="no report names an image"):
        openi.read(tmp_path)


def test_broken_reports_and_absent_images(root, write_text):
    write_text(root / "ecgen-radiology/3.xml", "<eCitation><uId")
    with pytest.raises(BenchError, match=r"3\.xml: not an XML file .*\n  fix: download the reports again"):
        openi.read(root)
    write_text(root / "ecgen-radiology/3.xml", "<eCitation/>")
    with pytest.raises(BenchError, match=r"3\.xml: XML file is not an Open-i report: it has no uId"):
        openi.read(root)
    (root / "ecgen-radiology/3.xml").unlink()
    (root / "NLMCXR_png/CXR1_IM-0001-1001.png").unlink()
    with pytest.raises(BenchError, match=r"1 of 16 images .*CXR1_IM-0001-1001\.png"):
        openi.read(root)


def test_repack_of_r2gen(tmp_path, write_text):
    miniatures.openi_r2gen(tmp_path)
    data = openi.read(tmp_path, split="r2gen")
    assert data.table["split"].value_counts().to_dict() == {"train": 8, "valid": 2, "test": 2}
    assert data.table["report"].iloc[0] == ("Lungs are clear.", "No effusion.")
    assert data.notes == ("layout found: R2Gen's re-pack",)
    write_text(tmp_path / "annotation.json", json.dumps({"train": [{"id": "a", "report": "b"}]}))
    with pytest.raises(BenchError, match=r"annotation.json: not of the form .*KeyError\('image_path'\)"):
        openi.read(tmp_path)
    write_text(tmp_path / "annotation.json", "{")
    with pytest.raises(BenchError, match="annotation.json: not a JSON file"):
        openi.read(tmp_path)


def test_repack_of_kaggle(tmp_path, write_text):
    miniatures.openi_kaggle(tmp_path)
    reports, images = ((tmp_path / f"indiana_{name}.csv").read_text() for name in ("reports", "projections"))
    data = openi.read(tmp_path, views="frontal", labels=["cardiomegaly", "lung"])
    assert len(data) == 9 and data.dropped == {"no findings or impression": 1}
    assert data.table["report"].iloc[0] == ("The heart, as before, is large.", "No change.")
    assert (data.targets() == 1).all() and data.notes == ("layout found: Kaggle re-pack",)
    assert len(openi.read(tmp_path)) == 18 and data.path(0).is_file()
    write_text(tmp_path / "indiana_projections.csv", f"{images}\n99,99_IM-1-1.dcm.png,Frontal")
    with pytest.raises(BenchError, match=r"1 images have no report .*; the first is 99_IM-1-1.dcm.png"):
        openi.read(tmp_path)
    write_text(tmp_path / "indiana_reports.csv", "uid,MeSH,findings,impresion\n")
    with pytest.raises(BenchError, match=r"indiana_reports.csv: column 'impression' missing"):
        openi.read(tmp_path)
    (tmp_path / "indiana_projections.csv").unlink()
    write_text(tmp_path / "indiana_reports.csv", reports)
    with pytest.raises(BenchError, match="indiana_projections.csv is missing"):
        openi.read(tmp_path)


def test_rule_of_r2gen_needs_its_file(root):
    with pytest.raises(BenchError, match="'r2gen' needs R2Gen's annotation.json"):
        openi.read(root, split="r2gen")


@pytest.mark.parametrize(
    "name", ["CXR1_1_IM-0001-3001", "CXR1_IM-0001-3001", "1_IM-0001-3001.dcm.png", "./1_IM-0001-3001.dcm"]
)
def test_every_spelling_of_an_image(name):
    assert openi_files.image_key(name) == ("1", "IM-0001-3001")


# --- the real reports ---


@pytest.fixture(scope="module")
def real_root(tmp_path_factory, real_annotations, write_image):
    root = tmp_path_factory.mktemp("openi")
    for name in ("NLMCXR_reports.tgz", "nlmcxr_tsne_pa.csv.gz"):
        (root / name).symlink_to(real_annotations / name)
    image = write_image(root / "one.png")
    (root / "images").mkdir()
    for found in openi_files.read_reports(root):
        for name in found.images:
            (root / f"images/{name}.png").hardlink_to(image)
    return root


def test_real_counts(real_root):
    found = openi_files.read_reports(real_root)
    assert len(found) == 3955 and sum(len(r.images) for r in found) == 7470
    findings, impression = (
        {r.id for r in found if r.sections.get(label)} for label in ("FINDINGS", "IMPRESSION")
    )
    assert (len(findings), len(impression), len(findings & impression)) == (3425, 3921, 3419)
    per_report = [len(r.images) for r in found]
    assert [per_report.count(n) for n in range(6)] == [104, 446, 3208, 181, 15, 1]
    views = openi_files.read_projections(real_root)
    known = [views.get(openi_files.image_key(name)) for r in found for name in r.images]
    assert (known.count("frontal"), known.count("lateral")) == (3267, 584)


@pytest.mark.parametrize("policy", ["default", "gloria"])  # all six: test_openi_reports.py
def test_real_reports_with_policy(real_root, policy):
    data = openi.read(real_root, reports=policy)
    assert len(data) + sum(data.dropped.values()) == 7470
    assert (
        data.table["report"]
        .map(lambda sentences: all(s.strip() for s in sentences) and len(sentences) > 0)
        .all()
    )
    assert data.table.groupby("patient_id")["split"].nunique().max() == 1
    assert not data.table["report"].map(" ".join).str.contains("XXXX").any()


def test_every_real_term_is_offered(real_root):
    with pytest.raises(BenchError, match="did you mean tuberculosis"):
        openi.read(real_root, labels=["tuberculosi"], reports=None)


@pytest.mark.slow
def test_real_check(real_root, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path))
    assert main(["data", "check", f"openi@{real_root}", "--quick"]) == 0
    out = capsys.readouterr().out
    assert "findings in 3,425 (published 3,425), impression in 3,921 (3,921), both in 3,419" in out
    assert "images left out: no findings or impression" in out and "verdict: openi is usable" in out
    assert "\nreports " in out and "\nsentences " in out and "\nwords " in out and "\ntokens a report " in out
    assert "distinct reports, the token limits cut: " in out
