import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pydicom
import pytest
from scipy import stats

from benchmarks import against_official
from benchmarks.official import comparisons, gloria_zero_shot, imports, layouts, mgca_data, run
from benchmarks.official.difference import HEADER, difference, line, table
from benchmarks.official.job import Job

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/protocols/end_to_end.md").read_text()


# --- the command, on a fake checkout --------------------------------------------------------------------


def official(job):
    imports.put_first([job.checkout])
    import fake_official_code

    return [fake_official_code.metric(seed, job.weights.name) for seed in job.seeds]


def ours(job):
    return [0.5 + seed / 100 for seed in job.seeds]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A repository of one file, whose runs are ours plus 0.2 where weights are pre-trained."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "fake_official_code.py").write_text(
        "def metric(seed, kind):\n    return 0.5 + seed / 100 + (0.2 if kind == 'pre-trained' else 0)\n"
    )
    monkeypatch.setattr("sys.path", ["", *__import__("sys").path])
    monkeypatch.setitem(
        comparisons.COMPARISONS,
        "fake",
        comparisons.Comparison("fake", "", "", "fake/protocol", "AUROC", official, ours),
    )
    monkeypatch.setattr(against_official, "start", lambda file, log: run.main(file))
    monkeypatch.setattr(against_official, "write_weights", lambda kind, folder: None)
    return folder


def test_the_command_prints_a_line_for_each_kind_of_weights(checkout, tmp_path, capsys):
    arguments = [
        "--checkout",
        f"fake={checkout}",
        "--only",
        "fake",
        "--seeds",
        "3",
        "--keep",
        str(tmp_path / "k"),
    ]
    against_official.main(["protocols", *arguments])
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == f"| {' | '.join(HEADER)} |" and len(printed) == 4
    same, other = printed[2:]
    assert "| fake/protocol | fake | random | AUROC | 50.0 51.0 52.0 | 50.0 51.0 52.0 | +0.00 |" in same
    assert same.endswith("| yes |") and "| pre-trained |" in other
    assert "| 70.0 71.0 72.0 | 50.0 51.0 52.0 | -20.00 |" in other and other.endswith("| no |")


def test_kept_runs_are_read_and_not_repeated_unless_the_job_changes(checkout, tmp_path, capsys, monkeypatch):
    arguments = [
        "protocols",
        "--checkout",
        f"fake={checkout}",
        "--only",
        "fake",
        "--keep",
        str(tmp_path / "k"),
    ]
    against_official.main([*arguments, "--seeds", "2"])
    first = capsys.readouterr().out

    def never(file, log):
        raise AssertionError(file)

    monkeypatch.setattr(against_official, "start", never)
    against_official.main([*arguments, "--seeds", "2"])
    assert capsys.readouterr().out == first
    with pytest.raises(AssertionError):
        against_official.main([*arguments, "--seeds", "3"])


def test_only_weights_without_values_run(checkout, tmp_path, capsys, monkeypatch):
    started = []

    def start(file, log):
        started.append((file.parent.name, Job.read(file).kinds))
        run.main(file)

    monkeypatch.setattr(against_official, "start", start)
    arguments = [
        "protocols",
        "--checkout",
        f"fake={checkout}",
        "--only",
        "fake",
        "--keep",
        str(tmp_path / "k"),
    ]
    against_official.main([*arguments, "--weights", "random"])
    against_official.main(arguments)
    assert started == [(s, (k,)) for k in ("random", "pre-trained") for s in ("official", "ours")]
    assert len(capsys.readouterr().out.splitlines()) == 3 + 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--checkout benchx=FOLDER --checkout gloria=FOLDER --checkout mgca=FOLDER"),
        (["--only", "gloria-zero-shot"], "give --checkout gloria=FOLDER"),
        (["--checkout", "mgca=/no/such/folder"], "no such folder"),
        (["--checkout", "prior=."], "the name must be one of benchx, gloria, mgca"),
    ],
)
def test_what_is_missing_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit):
        against_official.main(["protocols", *arguments])
    assert message in capsys.readouterr().err


def test_a_job_survives_its_file(tmp_path):
    job = Job("a", "ours", Path("d"), Path("w"), Path("f"), ("random",), (0, 1), (Path("s"),), Path("c"))
    job.write(tmp_path / "job.json")
    assert Job.read(tmp_path / "job.json") == job


# --- the interval ---------------------------------------------------------------------------------------


def test_the_interval_is_welchs():
    official, ours = [0.5, 0.6, 0.55, 0.52, 0.58], [0.6, 0.9, 0.7, 0.8, 0.65]
    found = difference(official, ours)
    a, b = np.var(official, ddof=1) / 5, np.var(ours, ddof=1) / 5
    freedom = (a + b) ** 2 / (a**2 / 4 + b**2 / 4)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(a + b)
    assert found.mean == pytest.approx(0.18) and found.low == pytest.approx(0.18 - half)
    assert found.high == pytest.approx(0.18 + half) and not found.contains_zero


def test_paired_runs_are_compared_by_their_differences():
    official, ours = [0.1, 0.5, 0.9], [0.11, 0.52, 0.91]
    found = difference(official, ours, paired=True)
    half = stats.t.ppf(0.975, 2) * np.std([0.01, 0.02, 0.01], ddof=1) / np.sqrt(3)
    assert found.low == pytest.approx(0.04 / 3 - half) and found.high == pytest.approx(0.04 / 3 + half)
    assert difference(official, ours).low < found.low


def test_equal_numbers_without_any_spread_differ_by_nothing():
    found = difference([0.5] * 5, [0.5] * 5)
    assert (found.mean, found.low, found.high) == (0, 0, 0) and found.contains_zero
    assert not difference([0.5] * 5, [0.6] * 5).contains_zero


# --- the page -------------------------------------------------------------------------------------------


def rows():
    lines = [one for one in PAGE.splitlines() if one.startswith("|")]
    start = lines.index(f"| {' | '.join(HEADER)} |")
    found = [tuple(cell.strip() for cell in one.strip("|").split("|")) for one in lines[start + 2 :]]
    return [row for row in found if len(row) == len(HEADER)]


def test_the_table_of_the_page_is_what_the_command_prints():
    assert table(rows()) in PAGE
    compared = {row[1] for row in rows()}
    assert compared >= {
        "mgca-linear-rsna",
        "mgca-segmentation-siim",
        "gloria-zero-shot",
        "benchx-finetuning-rsna",
    }
    assert compared <= comparisons.COMPARISONS.keys()


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row[1]}-{row[2]}")
def test_differences_and_intervals_of_the_page_follow_from_its_runs(row):
    official, ours = ([float(value) / 100 for value in cell.split()] for cell in row[4:6])
    paired = comparisons.COMPARISONS[row[1]].paired
    again = line(*row[:4], official, ours, paired=paired)
    numbers = [[float(x) for x in re.findall(r"[-+]?\d+\.\d", " ".join(one[6:8]))] for one in (row, again)]
    assert len(official) == len(ours) == 10 and numbers[0] == pytest.approx(numbers[1], abs=0.25)
    low, high = numbers[0][1:]
    assert row[7].endswith("paired") == paired
    assert row[8] == ("yes" if low <= 0 <= high else "no")


# --- parts ----------------------------------------------------------------------------------------------


def test_constants_lie_under_another_folder():
    base = Path("/there/data")
    constants = ModuleType("constants")
    constants.DATA_BASE_DIR, constants.CSV, constants.OTHER = base, base / "a/b.csv", Path("/else/c.csv")
    constants.NUMBER = 3
    imports.rebased(constants, Path("/here"))
    assert constants.CSV == Path("/here/a/b.csv") and constants.OTHER == Path("/else/c.csv")


def test_the_fixed_size_of_an_encoder_is_replaced():
    import torch

    nn = imports.enlarging_to(43)
    image = torch.rand(1, 3, 32, 32)
    enlarged = nn.Upsample(size=(299, 299), mode="bilinear", align_corners=True)(image)
    expected = torch.nn.functional.interpolate(image, size=(43, 43), mode="bilinear", align_corners=True)
    assert torch.equal(enlarged, expected) and nn.Linear is torch.nn.Linear


@pytest.mark.parametrize("name", ["images", "imagess"])
def test_a_path_is_lengthened_and_stays_the_same(tmp_path, name):
    (tmp_path / name / "study").mkdir(parents=True)
    length = len(str(tmp_path / name)) + 9
    found = mgca_data._of_length(tmp_path / name, length)
    assert len(found) == length and Path(found).samefile(tmp_path / name)
    with pytest.raises(SystemExit):
        mgca_data._of_length(tmp_path / name, length - 10)


def test_the_names_of_a_gloria_are_those_that_our_layout_reads():
    from baselines.gloria.released import layouts as released

    (layout,) = released()
    assert {ours: theirs for theirs, ours in layout.rename if not ours.startswith(("global", "local"))} == {
        ours: theirs for ours, theirs in gloria_zero_shot.NAMES.items() if ours
    }
    assert (
        gloria_zero_shot._official_name("global_embedder.bias") == "gloria.img_encoder.global_embedder.bias"
    )


def test_enlarged_pixels_and_runs_agree(tmp_path, monkeypatch):
    from prior_bench.data.annotations.masks import RleMask
    from prior_bench.sample.layouts.image_files import write_dicom
    from prior_bench.sample.layouts.siim_acr import encode

    monkeypatch.setattr(layouts, "SIIM_SIDE", 32)
    source, mask = tmp_path / "source", np.zeros((16, 16), bool)
    mask[3:6, 2:9] = True
    pixels = np.where(mask, 200, 10).astype(np.uint8)
    place = source / "dicom-images-train/1.2/1.3/1.4.dcm"
    place.parent.mkdir(parents=True)
    write_dicom(place, pixels, ("1.2", "1.3", "1.4"), PatientID="a")
    (source / "train-rle.csv").write_text(f"ImageId, EncodedPixels\n1.4, {encode(mask)}\n")
    folder = layouts.copy_siim(source, tmp_path / "copy")
    picture = pydicom.dcmread(folder / "dicom-images-train/1.2/1.3/1.4.dcm").pixel_array
    header, row = (folder / "train-rle.csv").read_text().splitlines()
    name, runs = row.split(",")
    assert header == "ImageId, EncodedPixels" and name == "1.4" and not runs.startswith(" ")
    assert picture.shape == (32, 32)
    assert np.array_equal(RleMask((runs,)).decode(32, 32), np.repeat(np.repeat(mask, 2, 0), 2, 1))
    assert np.array_equal(picture[::2, ::2], pydicom.dcmread(place).pixel_array)
