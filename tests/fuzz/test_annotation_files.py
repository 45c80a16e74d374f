"""Seeded mutations of a user's table: it is read as it says, or refused in one message; nothing else.

A mutation changes bytes of the file as people and programs do: cells, separators, quotes, encodings, lines.
What the mutated file says is decided by Python's csv module and a few lines here, not by the code under test.
"""

import csv
import io
import random
import time

import numpy as np
import pytest
from writers import write_image

from prior_bench.data.readers.csv.reader import read
from prior_bench.errors import BenchError

ROWS = 24
HEADER = ["image", "patient_id", "split", "Edema", "Mass", "grade", "report", "boxes"]
LONGEST = 5.0
"""Seconds that reading may take."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz")
    for number in range(ROWS):
        write_image(place / f"img/{number:02d}.png")
    return place


def clean() -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(HEADER)
    for n in range(ROWS):
        split = ["train", "train", "valid", "test"][n % 4]
        report = 'No effusion, "clear" lungs. Größe normal.' if n % 3 else ""
        boxes = ["none", "1 1 3 3 nodule", ""][n % 3]
        table.writerow([f"img/{n:02d}.png", f"p{n}", split, n % 2, n // 2 % 2, "abc"[n % 3], report, boxes])
    return out.getvalue()


PIECES = [
    *(
        ",",
        ";",
        "\t",
        '"',
        "'",
        "\n",
        "\r",
        "\r\n",
        "\0",
        "\ufeff",
        " ",
        "\\",
        "|",
        "#",
        "é",
        "−1",
        "-1",
        "NA",
    ),
    *(
        "None",
        "nan",
        "1e400",
        "inf",
        "0x1",
        "½",
        "１",
        "\u2028",
        "\x0b",
        "\x1a",
        "=1+1",
        "../../x",
        "x" * 200_000,
    ),
]


def mutated(seed: int) -> bytes:
    """The clean table after one to three mutations."""
    rng, text = random.Random(seed), clean()
    for _ in range(rng.randint(1, 3)):
        lines = text.splitlines(keepends=True)
        at, line = rng.randrange(len(text) + 1), rng.randrange(len(lines))
        kind = rng.randrange(10)
        if kind == 0:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind == 1:
            text = text[:at] + text[at + rng.randint(1, 20) :]
        elif kind == 2:
            text = text[: at or 1]
        elif kind == 3:
            lines.insert(line, lines[rng.randrange(len(lines))])
            text = "".join(lines)
        elif kind == 4:
            text = "".join(lines[:line] + lines[line + 1 :])
        elif kind == 5:
            cells = lines[line].split(",")
            cells[rng.randrange(len(cells))] = rng.choice(PIECES)
            text = "".join([*lines[:line], ",".join(cells), *lines[line + 1 :]])
        elif kind == 6:
            text = text.replace(",", rng.choice([";", "\t", "|", " ", "::"]))
        elif kind == 7:
            rng.shuffle(lines)
            text = "".join(lines)
        elif kind == 8:
            text = text.replace("\n", rng.choice(["\r\n", "\r", "\n\n", "\n \n"]))
        else:
            text = text.replace(rng.choice(HEADER), rng.choice(HEADER), 1)
        text = text or "x"
    data = text.encode(rng.choice(["utf-8"] * 6 + ["utf-8-sig", "utf-16", "cp1252", "utf-16-le"]), "replace")
    if rng.random() < 0.2:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data


def says(data: bytes) -> list[dict[str, str]]:
    """The rows of a mutated file as another reader of CSV files has them."""
    text = data.decode("utf-16") if data[:2] in (b"\xff\xfe", b"\xfe\xff") else data.decode("utf-8-sig")
    csv.field_size_limit(2**24)
    first = next(line for line in io.StringIO(text, newline="") if line.strip())
    header = {mark: [name.strip() for name in next(csv.reader([first], delimiter=mark))] for mark in ",;\t|"}
    mark = max(header, key=lambda mark: sum(name in HEADER for name in header[mark]))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    rows = [row for row in lines if any(field.strip() for field in row)]
    return [dict(zip([name.strip() for name in rows[0]], row, strict=True)) for row in rows[1:]]


def survives(seed: int, folder) -> bool:
    """Read a mutation; True if it was read. Whatever was read is what the file says."""
    data, place = mutated(seed), folder / f"{seed}.csv"
    place.write_bytes(data)
    begun = time.process_time()
    try:
        manifest = read(place)
    except BenchError as error:
        assert place.name in str(error) and error.what and "Traceback" not in str(error)
        return False
    finally:
        assert time.process_time() - begun < LONGEST
        place.unlink()
    told = says(data)
    assert len(manifest) == len(told), "no row is lost or made up"
    for row, cells in enumerate(told):
        assert manifest.table["image"].iat[row].replace("\\", "/") == cells["image"].strip().replace(
            "\\", "/"
        )
        if "patient_id" in cells:
            assert manifest.table["patient_id"].iat[row] == cells["patient_id"].strip()
        for name in manifest.labels:
            value = manifest.table[name].iat[row]
            assert np.isnan(value) if not cells[name].strip() else float(cells[name]) == value
    for name in ("Edema", "Mass"):
        if name in told[0] and name not in manifest.labels:
            assert "not a label" in manifest.columns[name]
    return True


def test_a_hundred_mutations(folder):
    read_ones = sum(survives(seed, folder) for seed in range(100))
    assert 10 < read_ones < 90, "mutations that are all read, or all refused, test nothing"


@pytest.mark.slow
def test_nine_hundred_more(folder):
    assert sum(survives(seed, folder) for seed in range(100, 1000)) > 100
