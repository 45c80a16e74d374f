import csv
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from prior_bench.errors import ErrorList
from prior_bench.report.published.numbers import COLUMNS, load_published, read_file, select

SHIPPED = Path(__file__).parents[3] / "results" / "published"


@pytest.fixture(scope="module")
def numbers():
    return load_published([SHIPPED])


def lines_of(name):
    with open(SHIPPED / name, newline="") as file:
        return list(csv.reader(file))


def broken(tmp_path, change):
    """The messages about a copy of a shipped file whose lines were changed."""
    lines = lines_of("medcta.csv")
    change(lines)
    with open(tmp_path / "x.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    with pytest.raises(ErrorList) as caught:
        load_published([tmp_path])
    return [str(error) for error in caught.value.errors]


def test_all_shipped_numbers_are_read(numbers):
    assert len(numbers) == 1144
    assert sum(n.verified == "no" for n in numbers) == 23
    assert len({n.method for n in numbers}) == 56


def test_no_number_was_changed_since_it_was_read():
    """The hash is of the list that was made from the papers; whoever adds a number makes it anew."""
    texts = []
    for path in SHIPPED.glob("*.csv"):
        with open(path, newline="") as file:
            texts += ["\t".join(line[name] for name in COLUMNS[:10]) for line in csv.DictReader(file)]
    digest = hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()
    assert digest == "495905832b8455a0af46cd595092fea3358f4a363e5da541710fa3afc65ccf03"


def test_prior_s_rows_are_re_runs_or_aggregates_and_say_so(numbers):
    prior = select(numbers, {"method": "PRIOR"})
    assert len(prior) == 27 and {n.kind for n in prior} == {"re-run", "aggregate"}
    assert all(n.note for n in prior)
    aggregates = [n for n in prior if n.kind == "aggregate"]
    assert len(aggregates) == 10 and all(n.fraction is None and not n.split for n in aggregates)


def test_numbers_of_less_certainty_say_why(numbers):
    stated = [n for n in numbers if n.note.startswith("certainty ")]
    low = [(n.method, n.dataset, n.value) for n in stated if n.note.startswith("certainty low: ")]
    assert low == [("PRIOR", "SIIM Pneumothorax", 45.85)]
    medium = [n for n in stated if n.note.startswith("certainty medium: ")]
    assert medium == select(numbers, {"source_paper": "SentZero (arXiv id not seen)"}) and len(medium) == 61
    assert {n.method for n in medium if n.verified == "no"} == {"GLoRIA", "BioViL-T"}
    assert all(0 < n.value < 1 and not n.split for n in medium)  # shares, and of no stated split


def test_values_fractions_digits_and_half_widths(numbers):
    one = select(numbers, {"method": "PRIOR", "metric": "Precision@1", "task": "image-to-text retrieval"})[0]
    assert (one.value, one.digits, one.variant) == (49.5, 2, "precision_at_1/image_to_text")
    assert select(numbers, {"label_fraction": "10%"})[0].fraction == pytest.approx(0.1)
    widths = [n for n in numbers if n.half_width is not None]
    assert widths and all(f"half-width {n.half_width:.2f}" in n.source_table for n in widths)


def test_detection_rows_that_g2d_repeats_from_lovt_carry_lovt_s_terms(numbers):
    rows = select(numbers, {"source_paper": "G2D arXiv 2312.01522", "family": "detection", "dataset": "RSNA"})
    repeated = {n.method for n in rows if (n.split, n.variant) == ("lovt", "map_lovt")}
    assert repeated == {"Random", "ImageNet", "ConVIRT"}
    assert {(n.split, n.variant) for n in rows if n.method == "MGCA"} == {
        ("mgca_detection", "map_mgca_compat")
    }


def test_files_of_ones_own_are_read_too(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path))
    (tmp_path / "published").mkdir()
    lines = [COLUMNS, list(lines_of("medcta.csv")[1])]
    lines[1][COLUMNS.index("source_paper")] = "Ours 2026"
    with open(tmp_path / "published" / "ours.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    assert len(load_published()) == 1145


def test_the_same_folder_twice_is_read_once():
    assert len(load_published([SHIPPED, SHIPPED / ".." / "published"])) == 1144


def test_unknown_and_missing_columns(tmp_path):
    messages = broken(tmp_path, lambda lines: lines[0].__setitem__(0, "methd"))
    assert "x.csv:1: unknown column 'methd'" in messages[0] and "did you mean method" in messages[0]
    assert "has no column 'method'" in messages[1]


def test_a_mistyped_value_names_file_and_line(tmp_path):
    def change(lines):
        lines[3][COLUMNS.index("value")] = "47,1"
        lines[4][COLUMNS.index("frozen")] = "maybe"
        lines[5][COLUMNS.index("label_fraction")] = "0.1"
        lines[6][COLUMNS.index("method")] = ""

    messages = broken(tmp_path, change)
    assert [message.split("x.csv:")[1].split(":")[0] for message in messages] == ["4", "5", "6", "7"]
    assert "'value' is '47,1', not a number" in messages[0] and "'frozen' is 'maybe'" in messages[1]
    assert "'label_fraction' is '0.1'" in messages[2] and "'method' is empty" in messages[3]


def test_duplicates_name_both_lines(tmp_path):
    messages = broken(tmp_path, lambda lines: lines.append(lines[1]))
    assert messages[0].startswith(f"{tmp_path}/x.csv:48: the same number as {tmp_path}/x.csv:2")
    shutil.copy(SHIPPED / "medcta.csv", tmp_path / "x.csv")
    shutil.copy(SHIPPED / "medcta.csv", tmp_path / "y.csv")
    with pytest.raises(ErrorList, match="46 problem"):
        load_published([tmp_path])


@pytest.mark.parametrize("extra", [["one", "too", "many"], None])
def test_lines_too_long_or_too_short(tmp_path, extra):
    lines = lines_of("medcta.csv")[:3]
    lines[1] = lines[1] + extra if extra else lines[1][:7]
    with open(tmp_path / "x.csv", "w", newline="") as file:
        csv.writer(file).writerows(lines)
    numbers, errors = read_file(tmp_path / "x.csv")
    assert "x.csv: cannot be read as CSV: line 2 has " in str(errors[0])
    assert not numbers


@pytest.mark.parametrize("kind", ["pipe", "holes", "folder"])
def test_what_is_no_file_of_numbers_is_named_and_not_read(kind, tmp_path):
    file = tmp_path / "x.csv"
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "holes":
        with open(file, "wb") as holes:
            holes.truncate(6 << 30)
    else:
        file.mkdir()
    found, (error,) = read_file(file)
    assert not found and "x.csv" in str(error)


def test_of_many_unknown_columns_some_are_named(tmp_path):
    (tmp_path / "x.csv").write_text(",".join(f"c{number}" for number in range(100_000)) + "\n")
    found, errors = read_file(tmp_path / "x.csv")
    assert not found and len(errors) < 50


def test_a_column_twice_and_an_empty_file_are_named(tmp_path):
    lines = lines_of("medcta.csv")[:2]
    with open(tmp_path / "x.csv", "w", newline="") as file:
        csv.writer(file).writerows([line + line[:1] for line in lines])
    assert "has the column 'method' twice" in str(read_file(tmp_path / "x.csv")[1][0])
    (tmp_path / "y.csv").write_text("\n\n")
    assert "cannot be read as CSV: it is empty" in str(read_file(tmp_path / "y.csv")[1][0])


def test_the_line_of_an_error_counts_line_breaks_in_quotes_and_blank_lines(tmp_path):
    header, first, second = lines_of("medcta.csv")[:3]
    first[header.index("note")] = "two\nlines"
    second[header.index("value")] = "many"
    with open(tmp_path / "x.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, [], first, [], second])
    assert "x.csv:6: 'value' is 'many'" in str(read_file(tmp_path / "x.csv")[1][0])
