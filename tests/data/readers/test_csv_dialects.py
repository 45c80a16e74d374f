"""Dialects x encodings x label kinds: the same manifest, or a refusal that names the cause."""

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from writers import write_image

from prior_bench.data.readers.csv.reader import read
from prior_bench.errors import BenchError

ROWS = 12
LABELS = {
    "binary": (["0", "1"], {}, ""),
    "blank": (["0", "1", ""], {}, ""),
    "words": (["false", "True"], {}, ""),
    "floats": (["0.0", "1.0"], {}, ""),
    "uncertain": (["0", "1", "-1"], {}, "label 'y' is '-1'"),
    "resolved": (["0", "1", "-1"], {"uncertain": "ignore"}, ""),
    "names": (["None", "NA", "Mild"], {"label": "y"}, ""),
    "grades": (["1", "2", "3"], {"label": "y"}, ""),
    "soft": (["0.1", "0.9"], {"label": "y"}, "label 'y' is '0.1'"),
}
TEXTS = [
    "Kein Erguß, frei.",
    'He said "clear"; no mass.',
    "Two\nlines | here.",
    "Лёгкие чистые.",
    "两肺清晰。",
    "",
]
NO_GUESS = ("cp1252", "cp1251", "gb18030", "utf-16-le")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("dialects")
    for number in range(ROWS):
        write_image(place / f"img/{number:02d}.png")
    return place


def written(values, texts, *, separator=",", end="\n", quoting=csv.QUOTE_MINIMAL, tail=False) -> str:
    out = io.StringIO()
    if end == "\r":
        quoting = csv.QUOTE_ALL  # Python's writer would leave "\n" in a field without quotes
    table = csv.writer(out, delimiter=separator, lineterminator=end, quoting=quoting)
    table.writerow(["image", "y", "report"])
    for n in range(ROWS):
        table.writerow([f"img/{n:02d}.png", values[n % len(values)], texts[n % len(texts)]])
    text = out.getvalue()
    return text + end * 2 if tail else text


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(sorted(LABELS)),
    texts=st.lists(st.sampled_from(TEXTS), min_size=1, max_size=4),
    separator=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", *NO_GUESS]),
    tail=st.booleans(),
)
def test_one_manifest_or_a_cause(folder, kind, texts, separator, end, quoting, encoding, tail):
    values, options, refusal = LABELS[kind]
    plain, other = folder / "plain.csv", folder / "other" / ".." / "plain.csv"
    (folder / "other").mkdir(exist_ok=True)
    text = written(values, texts, separator=separator, end=end, quoting=quoting, tail=tail)
    try:
        data = text.encode(encoding)
    except UnicodeEncodeError:
        return
    plain.write_text(written(values, texts), "utf-8", newline="")
    if refusal:
        with pytest.raises(BenchError, match=refusal):
            read(plain, **options)
    expected = None if refusal else read(plain, **options)
    other.write_bytes(data)
    ascii_only = text.isascii() and encoding != "utf-16-le"
    if encoding in NO_GUESS and not ascii_only:
        try:
            found = read(other, **options)
        except BenchError as error:
            assert "UTF-8" in str(error) or "UTF-16" in str(error) or refusal and refusal in str(error)
            options = {**options, "encoding": encoding}
        else:
            raise AssertionError(f"{encoding} was guessed: {found.table['report'].tolist()}")
    if refusal:
        with pytest.raises(BenchError, match=refusal):
            read(other, **options)
        return
    found = read(other, **options)
    assert found.fingerprint() == expected.fingerprint()
    assert found.split_summary() == expected.split_summary() and found.columns == expected.columns
