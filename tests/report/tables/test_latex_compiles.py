"""Tables in a real document: LaTeX stops at nothing, no line is too wide and no float too high."""

import re
import shutil
import subprocess

import pytest
from shipped_configs import tables_with_published_numbers

from prior_bench.report.published.beside import published_table, table_beside
from prior_bench.report.tables.latex import PACKAGES
from prior_bench.report.tables.marks import BEST, LEADING, TIED
from prior_bench.report.tables.render import render
from prior_bench.report.tables.table import Cell, Column, Row, Table, load_table

PDFLATEX = shutil.which("pdflatex")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.external,
    pytest.mark.skipif(PDFLATEX is None, reason="pdflatex is not installed"),
]

AWKWARD = """%&_#$ {x} \\end ~ ^ | < > " ` ' [0] * -- ± × → ≈ ≤ – … · ² ⁶ ₂ µ α Δ é ü ç Š ł ß 胸 ﬁ"""


def document(folder, *tables: Table, options=()) -> str:
    """The log of a minimal article with the tables; fails where LaTeX does."""
    lines = [r"\documentclass{article}", *(rf"\usepackage{{{name}}}" for name in PACKAGES)]
    body = [render(table, "latex") + r"\clearpage" for table in tables]
    text = "\n".join([*lines, r"\begin{document}", *body, r"\end{document}", ""])
    (folder / "tables.tex").write_text(text, "ascii")
    command = [PDFLATEX, *options, "-halt-on-error", "-interaction=nonstopmode", "tables.tex"]
    run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
    log = run.stdout.decode("latin-1")
    assert run.returncode == 0 and (folder / "tables.pdf").stat().st_size > 5000, log[-3000:]
    return log


def complaints(log: str) -> list[str]:
    return re.findall(r"Overfull.*|.*too large.*|.*multiply defined.*", log)


def table(rows: int, groups: dict[str, int], digits: int = 1, label: str = "Method") -> Table:
    columns = [
        Column(group, f"{n} %", "t", {"name": "d"}, "p", "m", digits=digits)
        for group, count in groups.items()
        for n in range(count)
    ]
    values = [{seed: 70 + 9 * (seed - 0.5) + r / 7 for seed in (0, 1)} for r in range(rows)]
    filled = [Row(f"{label} {r}", [Cell(dict(v), 2) for _ in columns]) for r, v in enumerate(values)]
    return Table("a_table", "A title", columns, filled, ["Mean ± standard deviation over seeds 0, 1."])


def test_marks_reasons_and_trivial_rows(tmp_path):
    made = table(5, {"CheXpert, linear probe": 3, "Retrieval": 1})
    for mark, row in zip((BEST, TIED, LEADING), made.rows, strict=False):
        row.cells[0].mark = mark
    made.rows[0].cells[1].interval, made.rows[0].cells[1].signed = (-2.5, 3.5), True
    made.rows[3].cells[0] = Cell(reason="not comparable: data set synthetic, not chexpert")
    made.rows[4].cells[1] = Cell(reason="not run")
    made.rows.append(Row("chance", [Cell({0: 50.0}), *[Cell(reason="–")] * 3], trivial=True))
    text = render(made, "latex")
    assert r"\textbf{" in text and r"\rlap{$^\approx$}" in text and r"\underline{" in text
    assert text.count(r"\textsuperscript{a}") == 1 and "a: not comparable: data set" in text
    assert complaints(document(tmp_path, made)) == []


def test_special_characters_everywhere(tmp_path):
    made = table(3, {AWKWARD: 2})
    made.title, made.notes, made.name = AWKWARD, [AWKWARD], "my table%1"
    made.rows[0].label, made.rows[1].label, made.rows[2].label = AWKWARD, "[in brackets]", "* starred"
    made.rows[2].trivial = True
    made.rows[0].cells[0] = Cell(reason=AWKWARD)
    made.rows[1].cells[0] = Cell(reason="a_b & c")
    document(tmp_path, made)


def test_commands_in_names_are_words(tmp_path):
    for attack in (
        r"\input{secret}",
        r"\write18{touch ran}",
        r"\immediate\write18{touch ran}",
        "^^5cinput{secret}",
    ):
        made = table(2, {attack: 1})
        made.title, made.notes, made.rows[0].label = attack, [attack], attack
        (tmp_path / "secret.tex").write_text(r"\typeout{SECRET WAS READ}")
        log = document(tmp_path, made, options=["-shell-escape"])
        assert "SECRET WAS READ" not in log and not (tmp_path / "ran").exists()


def test_wide_and_long_tables(tmp_path):
    tables = [
        table(6, {f"Data set {n}": 3 for n in range(9)}),
        table(4, {"One group": 16}),
        table(90, {"First": 3, "Second": 3}, label="A method with quite a long name,"),
        table(3, {"Narrow": 1}),
    ]
    for n, made in enumerate(tables):
        made.name = f"table-{n}"
    assert complaints(document(tmp_path, *tables)) == []


def test_published_numbers_alone_and_beside_ours(tmp_path):
    tables = [
        made
        for name in tables_with_published_numbers()
        for made in (published_table(load_table(name)), table_beside(load_table(name), []))
    ]
    for n, made in enumerate(tables):
        made.name = f"table-{n}"
    assert complaints(document(tmp_path, *tables)) == []
