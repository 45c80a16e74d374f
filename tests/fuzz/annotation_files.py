"""Seeded mutations of a table of data: it is read as it says, or refused in one message; nothing else.

``python annotation_files.py FOLDER FIRST COUNT``: see :mod:`seeds`. A mutation changes bytes of the file
as people and programs do: cells, separators, quotes, encodings, lines. What the mutated file says is decided
by Python's csv module and a few lines here, not by the code under test. Each is read as a table of a user's
own, and as a downloaded one, as all readers of data sets do it.
"""

import csv
import io
import random
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import numpy as np
import pandas as pd
from seeds import Attempt, Tried, campaign
from writers import write_image

from prior_bench.data.readers.csv.reader import read
from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.errors import BenchError

Rows = list[dict[str, str]]
ROWS = 24
HEADER = ["image", "patient_id", "split", "Edema", "Mass", "grade", "report", "boxes"]


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


def read_as_said(place: Path, says: Callable[[], Rows]) -> None:
    """Read a user's table; whatever is read is what the file says."""
    manifest, told = read(place), says()
    assert len(manifest) == len(told), "a row is lost or made up"
    for row, cells in enumerate(told):
        image = manifest.table["image"].iat[row]
        assert image.replace("\\", "/") == cells["image"].strip().replace("\\", "/"), "another image"
        if "patient_id" in cells:
            assert manifest.table["patient_id"].iat[row] == cells["patient_id"].strip(), "another patient"
        for name in manifest.labels:
            value, cell = manifest.table[name].iat[row], cells[name].strip()
            assert float(cell) == value if cell else np.isnan(value), f"another {name} in row {row}"
    for name in ("Edema", "Mass"):
        if name in told[0] and name not in manifest.labels:
            assert "not a label" in manifest.columns[name], f"{name} is left out without a word"


def downloaded_as_said(place: Path, says: Callable[[], Rows]) -> None:
    """Read a downloaded table; whatever is read is what the file says."""
    table = read_table(place, HEADER[:5], text=HEADER)
    told = says()
    assert len(table) == len(told), "a row is lost or made up"
    for name in HEADER[:5]:
        for value, cells in zip(table[name], told, strict=True):
            same = cells[name].strip() in MISSING if pd.isna(value) else value.strip() == cells[name].strip()
            assert same, f"{name} {cells[name]!r} is read as {value!r}"


MISSING = ("", "NA", "None", "nan", "NaN", "N/A", "null")
"""Texts that are blank in a downloaded table."""


def prepare(folder: Path) -> Attempt:
    """Write the images that the table names."""
    for number in range(ROWS):
        write_image(folder / f"img/{number:02d}.png")

    def attempt(seed: int) -> Tried:
        data, place = mutated(seed), folder / f"{seed}.csv"
        place.write_bytes(data)
        refused = []
        for check in (read_as_said, downloaded_as_said):
            try:
                check(place, lambda: says(data))
                refused.append(False)
            except BenchError as error:
                assert place.name in str(error) and error.what, f"the message names no file: {error}"
                refused.append(True)
        place.unlink()
        return Tried(refused[0])

    return attempt


if __name__ == "__main__":
    campaign("annotation files", prepare)
